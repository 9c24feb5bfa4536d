import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { batchNames } from '../../samples/batch-names.js';
import { seededReader } from '../../samples/seeded-reader.js';
import { sizedInputs } from '../../samples/sized-inputs.js';
import { tensorBytes } from '../../samples/tensor-bytes.js';
import type { Feeds, HostTensor, ValueSpec } from '../../samples/types.js';
import { type ExampleTensor, plainExample } from '../../targets/example-tensors.js';
import type { ModelFacts } from '../../targets/model-facts.js';
import { DataType, dataTypeRow } from '../../tensor/dtype.js';
import { float32ToFloat16 } from '../../tensor/float16.js';
import { elementCount, elementsView } from '../../tensor/tensor.js';
import type { InContext } from '../options.js';
import { fitSource } from '../workbench/fit-source.js';
import { type LoadOptions, whyNotLoaded, withLoadedModel } from './load-model.js';

/** Inputs for the requests of a README, and what a reader should know of them. */
export interface TriedExample {
  /** Undefined where no request can be written. */
  readonly example: readonly ExampleTensor[] | undefined;
  readonly notes: readonly string[];
}

/** Larger examples are not run. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Tensors that the model was seen to take, for examples: ones of the plainest sizes, else of sizes and with scalars that were found by
 * trying. @param session a model that is loaded
 */
export async function triedExample(
  host: RuntimeHost,
  session: number,
  inputs: readonly ValueSpec[],
): Promise<TriedExample> {
  const plain = plainExample(inputs);
  if (plain === undefined) return { example: undefined, notes: [] };
  const refusal = await refusalOf(host, session, plain);
  if (refusal === undefined) return { example: plain, notes: [] };
  const fitted = await fittedExample(host, session, inputs, plain);
  if (fitted && (await refusalOf(host, session, fitted)) === undefined) return { example: fitted, notes: [] };
  const note = `The requests in README.md have made-up sizes and values, with which the model does not run: ${refusal}`;
  return { example: plain, notes: [note] };
}

/** What is known of a model, with an example that it was seen to take where it can be loaded here. @throws as `withLoadedModel` */
export async function withTriedExample<F extends ModelFacts>(
  model: Model,
  facts: F,
  options: InContext<LoadOptions>,
): Promise<{ readonly facts: F; readonly notes: readonly string[] }> {
  if (whyNotLoaded(model, facts, options) !== undefined) return { facts, notes: [] };
  const { example, notes } = await withLoadedModel(model, facts, options, ({ host, session }) =>
    triedExample(host, session, facts.inputs),
  );
  return { facts: { ...facts, example }, notes };
}

/** What ONNX Runtime says to an example; undefined where it runs. */
async function refusalOf(
  host: RuntimeHost,
  session: number,
  example: readonly ExampleTensor[],
): Promise<string | undefined> {
  try {
    const feeds: Feeds = new Map(example.map((tensor) => [tensor.name, filled(tensor)]));
    if (tensorBytes(feeds) > MOST_BYTES) return undefined;
    await host.request('run', { session, feeds });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Shapes and scalars of a synthetic sample that the model takes. */
async function fittedExample(
  host: RuntimeHost,
  session: number,
  inputs: readonly ValueSpec[],
  plain: readonly ExampleTensor[],
): Promise<readonly ExampleTensor[] | undefined> {
  const oneRow = sizedInputs(inputs, new Map(batchNames(inputs).map((name) => [name, 1])));
  try {
    const source = await fitSource(host, session, oneRow, { kind: 'seeded', seed: 0, count: 1, sameShapes: true });
    if (typeof source === 'string' || source.kind !== 'seeded' || source.plan === undefined) return undefined;
    const feeds = await seededReader(0, 1, oneRow, { plan: source.plan, memoryBytes: MOST_BYTES }).read(0, 1);
    return plain.map((tensor) => like(tensor, feeds.get(tensor.name)));
  } catch (error) {
    messageOf(error);
    return undefined;
  }
}

function like(tensor: ExampleTensor, found: HostTensor | undefined): ExampleTensor {
  if (found === undefined) return tensor;
  const { dims: shape, data } = found;
  const kind = dataTypeRow(tensor.dataType)?.kind;
  const isNumber = elementCount(shape) === 1 && (kind === 'int' || kind === 'uint');
  return { ...tensor, shape, ...(isNumber ? { element: Number(data[0]) } : {}) };
}

function filled({ dataType, shape, element }: ExampleTensor): HostTensor {
  const count = elementCount(shape);
  if (typeof element === 'string') return { dataType, dims: shape, data: Array.from({ length: count }, () => element) };
  const bytes = new Uint8Array((count * (dataTypeRow(dataType)?.bits ?? 0)) / 8);
  const data = elementsView(dataType, bytes);
  if (data === undefined) throw new ServeOptError('SO5006', 'No example can be made of this type');
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(element));
  else if (dataType === DataType.FLOAT16 && data instanceof Uint16Array)
    float32ToFloat16(new Float32Array(count).fill(Number(element)), data);
  else data.fill(Number(element));
  return { dataType, dims: shape, data };
}

/** @throws what is not about the model */
function messageOf(error: unknown): string {
  if (!(error instanceof ServeOptError) || error.code === 'SO8130') throw error;
  return error.message;
}
