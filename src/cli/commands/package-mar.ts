import type { MarReport } from '../../report/mar-types.js';
import { shellWord } from '../../targets/shell-word.js';
import { packageMar } from '../../workflows/package/package-mar.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { packageMarOptions } from '../package-mar-options.js';
import { idleFlags } from '../program.js';
import { marSummary, renderMar } from '../render/mar-text.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt package mar <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const options = packageMarOptions(flags, context.env.SOURCE_DATE_EPOCH);
  const made = await packageMar(path, options, workflowContext(context));
  const report: MarReport = { ...made, warnings: [...new Set([...idleFlags('package mar', flags), ...made.warnings])] };
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return {
    report,
    text: () => renderMar(report, context),
    summary: marSummary(report),
    ...(report.written ? { next: `serve-opt package check ${shellWord(report.output)}` } : {}),
  };
}
