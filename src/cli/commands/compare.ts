import type { CompareReport } from '../../report/types.js';
import { compare } from '../../workflows/compare.js';
import type { RunFiles } from '../../workflows/options.js';
import { whyRefused } from '../../workflows/result-budgets.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { modelTargets } from '../model-outputs.js';
import { idleFlags } from '../program.js';
import { renderCompare } from '../render/compare-text.js';
import { checkReportTargets, knownFiles, writeReports } from '../report-targets.js';
import { compareOptions, compareSamples, workflowContext } from '../workflow-options.js';

/** `serve-opt compare <a> <b>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [a = '', b = ''] = args;
  const given = compareOptions(flags);
  const targets = modelTargets<CompareReport>(flags, async (made) => {
    const { compareHtml } = await import('../../report/html/compare-html.js');
    return compareHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([a, b, flags.data], true));
  const options = { ...given, onFiles };
  const compared = await compare(a, b, compareSamples(flags), options, workflowContext(context));
  const report = { ...compared, warnings: [...new Set([...idleFlags('compare', flags), ...compared.warnings])] };
  const refused = whyRefused(report, { ...given, delivers: false });
  const failure = (await writeReports(targets, report)) ?? refused;
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const exitCode = refused ? { exitCode: refused.exitCode } : {};
  return { report, text: () => renderCompare(report, context), failure, ...exitCode };
}
