import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Transform, TransformStepReport } from '../../ir/transform.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { InContext, OptimizeOptions } from '../options.js';
import { withSizes } from '../preflight/input-sizes.js';

/** The model that passes start from, whose interface the result keeps. */
export interface RequestedChanges {
  /** The model itself where nothing was asked for: a large graph is not held twice. */
  readonly base: Model;
  readonly requested: readonly TransformStepReport[];
}

/**
 * Makes the changes that a user asked for by name, on a copy, before anything is optimized: sizes fixed or opened, another
 * operator set.
 * @throws SO1002, SO1006 for a request that the model contradicts, SO3101 for one that it cannot follow
 */
export async function makeRequestedChanges(
  model: Model,
  options: InContext<OptimizeOptions>,
): Promise<RequestedChanges> {
  for (const name of options.setDims?.keys() ?? []) {
    if (!options.dynamic?.has(name)) continue;
    throw new ServeOptError('SO1002', `The dimension "${name}" cannot be both fixed and open`, {
      hint: 'leave it out of one of the two',
    });
  }
  // The words for a name or a size that the model does not have are those of every command.
  if (options.setDims) withSizes(inputSpecs(model), options.setDims);
  const steps: Transform[] = [];
  if (options.setDims && options.setDims.size > 0) {
    const { setDims } = await import('../../passes/rewrite/set-dims.js');
    steps.push(setDims({ dims: options.setDims }));
  }
  if (options.dynamic && options.dynamic.size > 0) {
    const { makeDynamic } = await import('../../passes/rewrite/make-dynamic.js');
    steps.push(makeDynamic({ dims: options.dynamic }));
  }
  if (options.opset !== undefined) {
    if (options.opset < model.opset()) {
      throw new ServeOptError(
        'SO3101',
        `The model cannot be converted to opset ${options.opset}: it has opset ${model.opset()}`,
        {
          why: 'operators can only be converted to a newer opset',
          hint: `leave out --opset, or export the model with opset ${options.opset}`,
        },
      );
    }
    const { upgradeOpset } = await import('../../passes/rewrite/upgrade-opset.js');
    steps.push(upgradeOpset({ to: options.opset }));
  }
  if (options.fixInitializers) {
    const { initializersNotInputs } = await import('../../passes/rewrite/initializers-not-inputs.js');
    steps.push(initializersNotInputs({ overridable: true }));
  }
  if (steps.length === 0) return { base: model, requested: [] };
  const base = model.clone();
  const report = await base.transformWith(options.signal ? { signal: options.signal } : {}, ...steps);
  for (const { name, changed, refusals } of report.steps) {
    const [first] = refusals;
    if (changed > 0 || !first) continue;
    const more = refusals.length > 1 ? `, and ${refusals.length - 1} more` : '';
    throw new ServeOptError(
      'SO3101',
      `${name} cannot be done: ${first.opType} "${first.node}": ${first.reason}${more}`,
    );
  }
  return { base, requested: report.steps };
}
