import type { DistillReport } from '../report/distill-types.js';
import { distillLogits } from './distill/distill-logits.js';
import { distillModels } from './distill/distill-models.js';
import type { DistillInput, DistillOptions } from './distill/distill-options.js';
import type { WorkflowContext } from './options.js';
import { checkOptions } from './preflight/check-options.js';

/**
 * Compares students with the teacher that they were made from: the losses of distillation, how faithful they are, how well they predict
 * the labels and how sure they are of it, and what they cost. Models run in a child process, the teacher once; or logits are read from
 * files. Several students are ranked.
 * @throws SO4002, SO4005 where outputs, classes or labels do not fit together, SO4006 for NaN, naming the sample, SO4008 for a
 * cache of another teacher or other data
 * @example
 * const report = await distill({ kind: 'logits', teacher: 'teacher.npy', students: ['student.npy'], labelsPath: 'labels.npy' });
 */
export async function distill(
  input: DistillInput,
  options: DistillOptions = {},
  context: WorkflowContext = {},
): Promise<DistillReport> {
  const given = input.kind === 'models' ? { dataPath: input.dataPath } : { teacherLogits: input.teacher };
  const ignored = checkOptions('distill', { ...given, ...options });
  const report =
    input.kind === 'models'
      ? await distillModels(input, { ...options, ...context })
      : await distillLogits(input, { ...options, ...context });
  return { ...report, warnings: [...ignored, ...report.warnings] };
}
