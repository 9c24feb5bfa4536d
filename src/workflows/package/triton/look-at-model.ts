import type { Model } from '../../../ir/model.js';
import type { Shape } from '../../../ir/type.js';
import { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { ModelFacts } from '../../../targets/model-facts.js';
import { inferOutputs } from '../../../targets/triton/batch-proof.js';
import { type Batchability, batchability } from '../../../targets/triton/batching.js';
import { mergedShape } from '../../../targets/triton/output-shapes.js';
import { type ServedInterface, servedInterface } from '../../../targets/triton/serving-facts.js';
import { formatBytes } from '../../../tensor/byte-size.js';
import { dependsOnBatch } from '../../depends-on-batch.js';
import { memoryLimit, runtimeOptions } from '../../memory.js';
import type { ModelOptions, WorkflowContext } from '../../options.js';
import { asInvalidModel } from '../../preflight/model.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import { bytesOnDisk, LOADED_BYTES, loadedShape } from '../loaded-outputs.js';
import { rowsMatter } from './rows-matter.js';

const SCALED_TOGETHER =
  'The model takes scales from all rows of a batch together (dynamic quantization), so a response depends slightly on the requests beside it; --max-batch 0 avoids that.';

/** What is known of a model before it is packaged. */
export interface ModelLook {
  readonly served: ServedInterface;
  readonly batchability: Batchability;
  /** Version of ONNX Runtime that loaded it; absent where none did. */
  readonly onnxRuntimeVersion?: string;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/** Options of `lookAtModel`. */
export interface LookOptions extends ModelOptions {
  /** Load and run the model in ONNX Runtime. Default true, for models up to 256 MiB. */
  readonly verify?: boolean;
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
  options: LookOptions,
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
    return { served: declared, batchability: found, notes: why === '' ? [] : [why], warnings };
  }
  const runtime = new LazyRuntime(runtimeOptions(context, memoryLimit({}, [model])));
  try {
    const host = await runtime.host();
    const loaded = await host.request('load', { path: facts.path, options: { graphOptimization: 'basic' } });
    for (const value of loaded.outputs) {
      const before = shapes.get(value.name);
      shapes.set(value.name, loadedShape(value, before));
    }
    const served = servedInterface(facts.inputs, facts.outputs, shapes);
    const judged = batchability(served, inferred.batched);
    const { onnxRuntime } = await host.request('versions', undefined);
    const head = { served, onnxRuntimeVersion: onnxRuntime };
    if (judged.kind !== 'yes' && !judged.unproven) return { ...head, batchability: judged, notes: [], warnings: [] };
    if (dependsOnBatch(model))
      return { ...head, batchability: judged, notes: judged.kind === 'yes' ? [SCALED_TOGETHER] : [], warnings: [] };
    const rows = await rowsMatter(host, loaded.session, facts);
    if (rows.kind === 'independent') return { ...head, batchability: { kind: 'yes' }, notes: [], warnings: [] };
    if (rows.kind === 'unknown') {
      return { ...head, batchability: judged, notes: judged.kind === 'yes' ? [rows.why] : [], warnings: [] };
    }
    return { ...head, batchability: { kind: 'possible', why: rows.why }, notes: [], warnings: [] };
  } catch (error) {
    throw asInvalidModel(error, options);
  } finally {
    await runtime.close();
  }
}

/** Why a model is not loaded, as a note; empty where the user asked for that; undefined where it is. */
function whyNotLoaded(model: Model, facts: ModelFacts, { verify = true }: LookOptions): string | undefined {
  if (!verify) return '';
  const notRunnable = whyNotRunnable(model);
  if (notRunnable !== undefined) return `The model was not loaded in ONNX Runtime: ${notRunnable}.`;
  const bytes = bytesOnDisk([facts.path, ...facts.externalFiles.map(({ path }) => path)]);
  if (bytes <= LOADED_BYTES) return undefined;
  return `The model was not loaded in ONNX Runtime: it has ${formatBytes(bytes)}, more than ${formatBytes(LOADED_BYTES)}.`;
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
