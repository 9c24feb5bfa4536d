import type { BenchReport } from '../bench-types.js';
import { bencherMetricFormat, githubActionBenchmark, openMetrics } from './dashboards.js';
import { junitXml } from './junit.js';
import { markdownReport } from './markdown.js';

/** A file of a format. */
export interface CiDocument {
  /** Stands before the extension of the path that was asked for; empty for that path itself. */
  readonly infix: string;
  readonly text: string;
}

export interface CiFormat {
  /** Name of the flag that takes a path: `--junit PATH`. */
  readonly flag: string;
  /** The extension to suggest, with its dot. */
  readonly extension: string;
  /** For help. */
  readonly summary: string;
  /** @returns one document or more; the first is for the path itself. */
  readonly make: (report: BenchReport) => readonly CiDocument[];
}

/** Files that CI services read, by flag. */
export const CI_FORMATS = [
  {
    flag: 'junit',
    extension: '.xml',
    summary: 'JUnit XML: budgets and regressions as test cases',
    make: (report) => [{ infix: '', text: junitXml(report) }],
  },
  {
    flag: 'markdown',
    extension: '.md',
    summary: 'Markdown for a comment on a pull request',
    make: (report) => [{ infix: '', text: markdownReport(report) }],
  },
  {
    flag: 'github-benchmark',
    extension: '.json',
    summary: 'JSON for github-action-benchmark; a second file PATH.bigger.json holds throughput',
    make: (report) => {
      const { smaller, bigger } = githubActionBenchmark(report);
      return [
        { infix: '', text: smaller },
        { infix: '.bigger', text: bigger },
      ];
    },
  },
  {
    flag: 'bencher',
    extension: '.json',
    summary: 'JSON for Bencher',
    make: (report) => [{ infix: '', text: bencherMetricFormat(report) }],
  },
  {
    flag: 'openmetrics',
    extension: '.txt',
    summary: 'OpenMetrics text for GitLab and Prometheus',
    make: (report) => [{ infix: '', text: openMetrics(report) }],
  },
] as const satisfies readonly CiFormat[];

/** `out/bench.json` with the infix `.bigger` is `out/bench.bigger.json`. */
export function ciDocumentPath(path: string, infix: string): string {
  const dot = /\.[^./\\]+$/.exec(path)?.index ?? path.length;
  return path.slice(0, dot) + infix + path.slice(dot);
}
