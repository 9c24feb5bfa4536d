import type { PruneReport } from '../../report/prune-types.js';
import { shellWord } from '../../targets/shell-word.js';
import { pruneModel } from '../../workflows/prune-model.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { runModelCommand } from '../model-command.js';
import { pruneSummary, renderPrune } from '../render/prune-text.js';
import { pruneOptions, workflowContext } from '../workflow-options.js';

/** `serve-opt prune <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const options = pruneOptions(flags);
  return runModelCommand<PruneReport>(context, flags, {
    reads: [path, flags.data, flags.eval],
    html: async (report) => (await import('../../report/html/prune-html.js')).pruneHtml(report),
    work: (run) => pruneModel(path, { ...options, ...run }, workflowContext(context)),
    answer: (report, outputPath) => {
      for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
      return {
        report,
        text: () => renderPrune(report, { ...context, outputPath, explain: flags.explain !== undefined }),
        summary: pruneSummary(report),
        ...(outputPath === undefined ? {} : { next: `serve-opt quantize ${shellWord(outputPath)}` }),
      };
    },
  });
}
