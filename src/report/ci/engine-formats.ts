import { engineBench } from '../tensorrt-bench.js';
import type { TensorRtReport } from '../tensorrt-types.js';
import { junitXml } from './junit.js';
import { budgetCase, junitDocument } from './junit-suites.js';
import { markdownReport } from './markdown.js';

/** JUnit XML of an engine: the measurement, each budget and the comparison with a baseline are test cases. */
export function engineJunit(report: TensorRtReport): string {
  const bench = engineBench(report);
  if (bench) return junitXml(bench);
  const suite = { name: report.engine.name, cases: report.budgets.map(budgetCase) };
  return junitDocument('tensorrt', [suite], [['serve-opt', report.version]]);
}

/** Markdown of an engine for a comment. */
export function engineMarkdown(report: TensorRtReport): string {
  const bench = engineBench(report);
  return bench ? markdownReport(bench) : `## ${report.engine.name}\n\nBuilt, not measured.\n`;
}
