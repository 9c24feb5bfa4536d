import { ServeOptError } from '../errors.js';
import { sqnrDb } from '../evaluate/error-sums.js';
import { floatElements, isFloatTensor } from '../evaluate/host-numbers.js';
import type { SampleReader } from '../samples/sample-reader.js';
import { tensorBytes } from '../samples/tensor-bytes.js';
import type { Feeds, HostTensor } from '../samples/types.js';
import type { ChildSession } from './job.js';

type Outputs = ReadonlyMap<string, HostTensor>;

/** Samples a run where the caller leaves it open, and bytes of a run's inputs that are not exceeded for it. */
const MOST_SAMPLES = 8;
const MOST_BYTES = 8 * 1024 * 1024;
/** A batch that gives the same as its samples alone differs by rounding. A model that looks across the batch differs by more. */
const SAME_DB = 60;

/**
 * How many samples the sessions may be given at once so that each is judged as it would be alone: tried on the first
 * samples of the reader, by the first and the last of a batch. 1 where the data does not stack, the models do not run on a
 * batch, or their results depend on it.
 * @param most samples at most
 */
export async function fittingBatch(
  sessions: readonly ChildSession[],
  reader: SampleReader,
  run: (session: ChildSession, feeds: Feeds) => Promise<Outputs>,
  most: number = MOST_SAMPLES,
): Promise<number> {
  if (reader.block !== undefined) return reader.block;
  if (!reader.batchable || reader.count < 2) return 1;
  const first = await reader.read(0, 1);
  const size = Math.min(most, reader.count, Math.floor(MOST_BYTES / Math.max(1, tensorBytes(first))));
  if (size < 2) return 1;
  const last = await reader.read(size - 1, 1);
  const all = await reader.read(0, size);
  for (const session of sessions) {
    const alone = [await run(session, first), await run(session, last)] as const;
    const together = await runOrNothing(run, session, all);
    if (!together || !isSame(alone[0], together, 0, size) || !isSame(alone[1], together, size - 1, size)) return 1;
  }
  return size;
}

/** Nothing where the model does not take a batch. */
async function runOrNothing(
  run: (session: ChildSession, feeds: Feeds) => Promise<Outputs>,
  session: ChildSession,
  feeds: Feeds,
): Promise<Outputs | undefined> {
  try {
    return await run(session, feeds);
  } catch (error) {
    if (error instanceof ServeOptError && /^SO(5002|2105)$/.test(error.code)) return undefined;
    throw error;
  }
}

/** Whether sample `at` of a batch of `size` is what it is alone, in every output. */
function isSame(alone: Outputs, together: Outputs, at: number, size: number): boolean {
  for (const [name, single] of alone) {
    const batch = together.get(name);
    const rows = single.dims[0] ?? 0;
    if (!batch || batch.dataType !== single.dataType || single.dims.length === 0) return false;
    if ([rows * size, ...single.dims.slice(1)].join() !== batch.dims.join()) return false;
    const { length } = single.data;
    if (!isNear(single, { ...single, data: batch.data.slice(at * length, (at + 1) * length) })) return false;
  }
  return true;
}

function isNear(a: HostTensor, b: HostTensor): boolean {
  if (!isFloatTensor(a)) {
    for (let i = 0; i < a.data.length; i++) if (a.data[i] !== b.data[i]) return false;
    return true;
  }
  const [x, y] = [floatElements(a), floatElements(b)];
  let [signal, noise] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    const [value, other] = [x[i] as number, y[i] as number];
    const error = value - other;
    if (error - error !== 0) {
      if (!Object.is(value, other)) return false;
      continue;
    }
    signal += value * value;
    noise += error * error;
  }
  return noise === 0 || sqnrDb(signal, noise) >= SAME_DB;
}

/** Outputs of a run that was filled up to `size` samples, cut back to the first `count`. */
export function cutRows(outputs: Outputs, count: number, size: number): Outputs {
  if (count === size) return outputs;
  return new Map([...outputs].map(([name, tensor]) => [name, cutTensor(tensor, count, size)]));
}

function cutTensor(tensor: HostTensor, count: number, size: number): HostTensor {
  const [rows = 0, ...rest] = tensor.dims;
  if (rows === 0 || rows % size !== 0) return tensor;
  const kept = (rows / size) * count;
  const length = (tensor.data.length / rows) * kept;
  return { ...tensor, dims: [kept, ...rest], data: tensor.data.slice(0, length) };
}
