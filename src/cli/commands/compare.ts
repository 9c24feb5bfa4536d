import type { CompareReport } from '../../report/types.js';
import { compareModels } from '../../workflows/compare-models.js';
import { missedGate } from '../../workflows/comparison-warnings.js';
import type { RunFiles } from '../../workflows/options.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { renderCompare } from '../render/compare-text.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from '../report-targets.js';
import { compareOptions } from '../workflow-options.js';

/** `serve-opt compare <a> <b>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [a = '', b = ''] = args;
  const given = compareOptions(context, flags);
  const targets = reportTargets<CompareReport>(flags, async (made) => {
    const { compareHtml } = await import('../../report/html/compare-html.js');
    return compareHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([a, b, flags.data], true));
  const options = { ...given, onFiles };
  const report = await compareModels(a, b, options);
  const missed = report.gates?.find(({ verdict }) => verdict === 'fail');
  const failure = (await writeReports(targets, report)) ?? (missed && missedGate(missed));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return { report, text: () => renderCompare(report, context), failure };
}
