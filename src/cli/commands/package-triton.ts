import { packageTriton } from '../../workflows/package/package-triton.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt package triton <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const report = await packageTriton(path, flags.output ?? '.', {}, workflowContext(context));
  return { report, text: () => report.files.map((file) => file.path).join('\n') };
}
