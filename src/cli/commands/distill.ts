import type { DistillReport } from '../../report/distill-types.js';
import { distill } from '../../workflows/distill.js';
import type { RunFiles } from '../../workflows/options.js';
import { whyRefused } from '../../workflows/result-budgets.js';
import type { CommandContext, CommandResult } from '../command.js';
import { distillInput, distillOptions } from '../distill-options.js';
import type { FlagValues } from '../flags.js';
import { modelTargets } from '../model-outputs.js';
import { idleFlags } from '../program.js';
import { renderDistill } from '../render/distill-text.js';
import { checkReportTargets, knownFiles, writeReports } from '../report-targets.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt distill <teacher> <student>…` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const input = distillInput(args, flags);
  const given = distillOptions(flags);
  const targets = modelTargets<DistillReport>(flags, async (made) => {
    const { distillHtml } = await import('../../report/html/distill-html.js');
    return distillHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  const logits = input.kind === 'logits';
  onFiles(knownFiles([input.teacher, ...input.students, logits ? input.labelsPath : input.dataPath], !logits));
  const made = await distill(input, { ...given, onFiles }, workflowContext(context));
  const report = { ...made, warnings: [...new Set([...idleFlags('distill', flags), ...made.warnings])] };
  const refused = whyRefused(report, { ...given, delivers: false, subject: 'a student' });
  const failure = (await writeReports(targets, report)) ?? refused;
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const exitCode = refused ? { exitCode: refused.exitCode } : {};
  return { report, text: () => renderDistill(report, context), failure, ...exitCode };
}
