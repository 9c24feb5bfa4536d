import type { Model } from '../../../ir/model.js';
import type { Shape } from '../../../ir/type.js';
import type { ModelFacts } from '../../../targets/model-facts.js';
import { inferOutputs } from '../../../targets/triton/batch-proof.js';
import { type Batchability, batchability } from '../../../targets/triton/batching.js';
import { mergedShape } from '../../../targets/triton/output-shapes.js';
import { type ServedInterface, servedInterface } from '../../../targets/triton/serving-facts.js';
import { dependsOnBatch } from '../../depends-on-batch.js';
import type { WorkflowContext } from '../../options.js';
import { type LoadOptions, whyNotLoaded, withLoadedModel } from '../load-model.js';
import { loadedShape } from '../loaded-outputs.js';
import { triedExample } from '../tried-example.js';
import { rowsMatter } from './rows-matter.js';

const SCALED_TOGETHER =
  'The model takes scales from all rows of a batch together (dynamic quantization), so a response depends slightly on the requests beside it; --max-batch 0 avoids that.';

/** What is known of a model before it is packaged. */
export interface ModelLook {
  readonly served: ServedInterface;
  readonly batchability: Batchability;
  /** One row for the requests of the README, which the model was seen to take if it was loaded. */
  readonly example: ModelFacts['example'];
  /** Version of ONNX Runtime that loaded it; absent where none did. */
  readonly onnxRuntimeVersion?: string;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * The interface of a model as a server will see it. The server compares the configuration with what ONNX Runtime infers, not with
 * what the file declares, so ONNX Runtime is asked where that is cheap; and two rows are run together and alone, since the shapes
 * cannot tell whether rows of a batch influence each other.
 * @throws SO3501 for what Triton cannot serve, SO5001 for a model that ONNX Runtime refuses
 */
export async function lookAtModel(
  model: Model,
  facts: ModelFacts,
  options: LoadOptions,
  context: WorkflowContext,
): Promise<ModelLook> {
  const inferred = inferOutputs(model);
  const shapes = new Map(facts.outputs.map(({ name, shape }) => [name, mergedShape(shape, inferred.shapes.get(name))]));
  // Before anything is loaded: types that cannot be served.
  const declared = servedInterface(facts.inputs, facts.outputs, shapes);
  const why = whyNotLoaded(model, facts, options);
  const found = batchability(declared, inferred.batched);
  if (why !== undefined) {
    const warnings = openOutputs(facts, shapes);
    const { example } = facts;
    return { served: declared, batchability: found, example, notes: why === '' ? [] : [why], warnings };
  }
  return withLoadedModel(model, facts, { ...options, ...context }, async ({ host, session, outputs }) => {
    for (const value of outputs) {
      const before = shapes.get(value.name);
      shapes.set(value.name, loadedShape(value, before));
    }
    const served = servedInterface(facts.inputs, facts.outputs, shapes);
    const judged = batchability(served, inferred.batched);
    const { onnxRuntime } = await host.request('versions', undefined);
    const { example, notes } = await triedExample(host, session, facts.inputs);
    const look = (found: Batchability, ...more: readonly string[]): ModelLook => ({
      served,
      batchability: found,
      example,
      onnxRuntimeVersion: onnxRuntime,
      notes: [...more, ...notes],
      warnings: [],
    });
    const isBatched = judged.kind === 'yes';
    if (!isBatched && !judged.unproven) return look(judged);
    if (dependsOnBatch(model)) return look(judged, ...(isBatched ? [SCALED_TOGETHER] : []));
    const rows = await rowsMatter(host, session, facts);
    if (rows.kind === 'independent') return look({ kind: 'yes' });
    if (rows.kind === 'unknown') return look(judged, ...(isBatched ? [rows.why] : []));
    return look({ kind: 'possible', why: rows.why });
  });
}

/** Sizes that inference found although the file leaves them open: a server with another inference may see them open. */
function openOutputs(facts: ModelFacts, shapes: ReadonlyMap<string, Shape>): string[] {
  const changed = facts.outputs.filter(({ name, shape }) =>
    shape?.some((dim, axis) => typeof dim !== 'number' && typeof shapes.get(name)?.[axis] === 'number'),
  );
  if (changed.length === 0) return [];
  const names = changed.map(({ name }) => `"${name}"`).join(', ');
  return [
    `Sizes of ${names} are inferred, and not checked with ONNX Runtime: a server that infers less refuses the configuration.`,
  ];
}
