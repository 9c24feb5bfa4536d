import { ServeOptError } from '../../errors.js';
import type { TritonReport } from '../../report/triton-types.js';
import { shellWord } from '../../targets/shell-word.js';
import { packageTriton, packageTritonEnsemble } from '../../workflows/package/triton/package-triton.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { keptOrRefused } from '../refused-result.js';
import { renderTriton } from '../render/triton-text.js';
import { ensembleOptions, tritonOptions } from '../triton-options.js';
import { workflowContext } from '../workflow-options.js';

const DEFAULT_REPOSITORY = 'models';

/** `serve-opt package triton <model>`, and `package triton --ensemble a,b` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const { output: repository = DEFAULT_REPOSITORY } = flags;
  if (repository === '-') {
    throw new ServeOptError('SO1006', 'The value "-" of -o is not allowed', {
      why: 'a repository is a folder',
      hint: 'write -o models/',
    });
  }
  const { report, refused } = await keptOrRefused<TritonReport>((onRefused) =>
    work(context, args, flags, repository, onRefused),
  );
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return {
    report,
    text: () => renderTriton(report, context),
    ...(report.written ? { next: `serve-opt package check ${shellWord(repository)}` } : {}),
    ...(refused === undefined ? {} : { failure: refused, exitCode: refused.exitCode }),
  };
}

async function work(
  context: CommandContext,
  args: readonly string[],
  flags: FlagValues,
  repository: string,
  onRefused: (report: TritonReport) => void,
): Promise<TritonReport> {
  const [path] = args;
  if (flags.ensemble !== undefined) {
    if (path !== undefined) {
      throw new ServeOptError('SO1002', `--ensemble and the model "${path}" contradict each other`, {
        why: 'an ensemble is made of models that are in the repository',
        hint: `serve-opt package triton ${shellWord(path)} -o ${shellWord(repository)} packages the model`,
      });
    }
    const members = flags.ensemble.split(',').map((member) => member.trim());
    if (members.includes('')) {
      throw new ServeOptError('SO1006', `The value "${flags.ensemble}" of --ensemble is not allowed`, {
        why: 'it must be names of models with commas between them',
        hint: 'write --ensemble prepare,model',
      });
    }
    return packageTritonEnsemble(
      members,
      repository,
      { ...ensembleOptions(flags), onRefused },
      workflowContext(context),
    );
  }
  if (path === undefined) {
    throw new ServeOptError('SO1001', 'package triton needs <model>: path of an ONNX model, or of an engine', {
      hint: 'serve-opt package triton model.onnx -o models/',
    });
  }
  if (flags.map !== undefined) throw new ServeOptError('SO1002', '--map needs --ensemble', { hint: 'leave --map out' });
  return packageTriton(path, repository, { ...tritonOptions(flags), onRefused }, workflowContext(context));
}
