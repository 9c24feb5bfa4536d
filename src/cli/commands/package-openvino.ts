import { ServeOptError } from '../../errors.js';
import { shellWord } from '../../targets/shell-word.js';
import type { CommandContext, CommandResult } from '../command.js';

/** `serve-opt package openvino [model]`: there is no such package. @throws SO3504 with what to use instead */
export function run(_context: CommandContext, args: readonly string[]): Promise<CommandResult> {
  const [path = 'MODEL'] = args;
  throw new ServeOptError('SO3504', 'There is no package for OpenVINO Model Server', {
    why: 'nothing here could check one; Triton runs OpenVINO in its ONNX Runtime',
    hint: `serve-opt package triton ${shellWord(path)} -o models/ --accelerator openvino`,
  });
}
