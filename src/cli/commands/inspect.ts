import { readModel } from '../../ir/read-model.js';
import { printModel } from '../../ir/text/print-model.js';
import { inspectModel } from '../../workflows/inspect-model.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { renderInspect } from '../render/inspect-text.js';
import { inspectOptions, workflowContext } from '../workflow-options.js';

/** Elements of a tensor that `--dump` shows; `-v` shows all. */
const DUMPED_ELEMENTS = 8;

/** `serve-opt inspect <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  if (flags.dump) return dump(context, path, flags);
  const report = await inspectModel(path, inspectOptions(flags), workflowContext(context));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return { report, text: () => renderInspect(report, { ...context, zeros: flags.zeros ?? false }) };
}

/** The ONNX text syntax; the printer itself escapes what a terminal could act on. */
async function dump(context: CommandContext, path: string, flags: FlagValues): Promise<CommandResult> {
  const model = await readModel(path, flags['allow-links'] ? { allowLinks: true } : {});
  try {
    const text = printModel(model, context.verbosity > 0 ? {} : { maxElements: DUMPED_ELEMENTS });
    return { report: undefined, text: () => text.trimEnd() };
  } finally {
    model.source?.close();
  }
}
