import { compareModels } from '../../workflows/compare-models.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { renderCompare } from '../render/compare-text.js';
import { compareOptions } from '../workflow-options.js';

/** `serve-opt compare <a> <b>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [a = '', b = ''] = args;
  const report = await compareModels(a, b, compareOptions(context, flags));
  for (const message of [...report.warnings, ...report.comparison.warnings]) {
    context.progress.handle({ kind: 'warning', message });
  }
  return { report, text: () => renderCompare(report, context) };
}
