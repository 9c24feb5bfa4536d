import { ServeOptError } from '../../errors.js';
import { shellWord } from '../../targets/shell-word.js';
import type { CommandContext, CommandResult } from '../command.js';

/** `serve-opt package tfserving [model]`: there is no such package. @throws SO3504 with what to use instead */
export function run(_context: CommandContext, args: readonly string[]): Promise<CommandResult> {
  const [path = 'MODEL'] = args;
  throw new ServeOptError('SO3504', 'There is no package for TensorFlow Serving', {
    why: 'it loads SavedModels, and an ONNX model cannot be turned into one without loss',
    hint: `serve-opt package triton ${shellWord(path)} -o models/`,
  });
}
