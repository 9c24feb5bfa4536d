import { bug } from '../../errors.js';
import type { CommandContext, CommandResult } from '../command.js';
import { SHELLS } from '../commands.js';
import { completionScript } from '../completion.js';

/** `serve-opt completion bash|zsh|fish` */
export async function run(_context: CommandContext, args: readonly string[]): Promise<CommandResult> {
  const shell = SHELLS.find((name) => name === args[0]);
  if (shell === undefined) throw bug(`completion got the shell "${args[0]}"`);
  const script = completionScript(shell);
  return { report: { shell, script }, text: () => script };
}
