import { reportJson } from '../../report/json.js';
import type { OptimizeReport } from '../../report/types.js';
import { shellWord } from '../../targets/shell-word.js';
import { recipeDocument } from '../../workflows/optimize/recipe.js';
import { optimizeModel } from '../../workflows/optimize-model.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { runModelCommand } from '../model-command.js';
import { chosenRows, explainedPass, passChoice } from '../pass-choice.js';
import { optimizeSummary, renderOptimize } from '../render/optimize-text.js';
import { optimizeOptions, workflowContext } from '../workflow-options.js';

/** `serve-opt optimize <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const choice = await passChoice(flags);
  const rows = chosenRows(choice);
  if (flags['print-recipe']) {
    const document = recipeDocument(rows);
    return { report: document, text: () => reportJson(document).trimEnd() };
  }
  const explain = flags.explain === undefined ? undefined : explainedPass(flags.explain, rows);
  const options = { ...optimizeOptions(flags), ...choice };
  return runModelCommand<OptimizeReport>(context, flags, {
    reads: [path, flags.data],
    html: async (report) => (await import('../../report/html/optimize-html.js')).optimizeHtml(report),
    work: (run) => optimizeModel(path, { ...options, ...run }, workflowContext(context)),
    answer: (report, outputPath) => answer(context, report, explain, outputPath),
  });
}

function answer(
  context: CommandContext,
  report: OptimizeReport,
  explain: string | undefined,
  outputPath: string | undefined,
): CommandResult {
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const next =
    outputPath === undefined || report.verification.runs === 'unchanged'
      ? undefined
      : `serve-opt quantize ${shellWord(outputPath)}`;
  return {
    report,
    text: () => renderOptimize(report, { ...context, outputPath, explain }),
    summary: optimizeSummary(report),
    ...(next === undefined ? {} : { next }),
  };
}
