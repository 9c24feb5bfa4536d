import type { BenchReport } from '../bench-types.js';
import { bencherMetricFormat, githubActionBenchmark, openMetrics } from './dashboards.js';
import { junitXml } from './junit.js';
import { markdownReport } from './markdown.js';

export interface CiFormat {
  /** Name of the flag that takes a path: `--junit PATH`. */
  readonly flag: string;
  /** The extension to suggest, with its dot. */
  readonly extension: string;
  /** For help. */
  readonly summary: string;
  /** What stands before the extension of the path of each document; empty for the path itself. */
  readonly documents: readonly string[];
  /** @returns the text of each document */
  readonly make: (report: BenchReport) => readonly string[];
}

/** Files that CI services read, by flag. */
export const CI_FORMATS = [
  {
    flag: 'junit',
    extension: '.xml',
    summary: 'JUnit XML: budgets and regressions as test cases',
    documents: [''],
    make: (report) => [junitXml(report)],
  },
  {
    flag: 'markdown',
    extension: '.md',
    summary: 'Markdown for a comment on a pull request',
    documents: [''],
    make: (report) => [markdownReport(report)],
  },
  {
    flag: 'github-benchmark',
    extension: '.json',
    summary: 'JSON for github-action-benchmark; a second file PATH.bigger.json holds throughput',
    documents: ['', '.bigger'],
    make: (report) => {
      const { smaller, bigger } = githubActionBenchmark(report);
      return [smaller, bigger];
    },
  },
  {
    flag: 'bencher',
    extension: '.json',
    summary: 'JSON for Bencher',
    documents: [''],
    make: (report) => [bencherMetricFormat(report)],
  },
  {
    flag: 'openmetrics',
    extension: '.txt',
    summary: 'OpenMetrics text for GitLab and Prometheus',
    documents: [''],
    make: (report) => [openMetrics(report)],
  },
] as const satisfies readonly CiFormat[];

/** `out/bench.json` with the infix `.bigger` is `out/bench.bigger.json`. */
export function ciDocumentPath(path: string, infix: string): string {
  const dot = /\.[^./\\]+$/.exec(path)?.index ?? path.length;
  return path.slice(0, dot) + infix + path.slice(dot);
}
