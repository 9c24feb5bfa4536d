import { ServeOptError } from '../../../errors.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { batchNames } from '../../../samples/batch-names.js';
import { seededReader } from '../../../samples/seeded-reader.js';
import { sizedInputs } from '../../../samples/sized-inputs.js';
import type { Feeds, HostData, HostTensor } from '../../../samples/types.js';
import type { ModelFacts } from '../../../targets/model-facts.js';
import { DataType, isFloat } from '../../../tensor/dtype.js';
import { fromFloat16 } from '../../../tensor/float16.js';

/** Whether rows of a batch influence each other. */
export type RowsFound =
  | { readonly kind: 'independent' }
  | { readonly kind: 'dependent' | 'unknown'; readonly why: string };

/** Most bytes of inputs that are made for it. */
const INPUT_BYTES = 64 * 1024 * 1024;
/** Sums in another order differ by rounding; what is further apart than this share of the largest value is another result. */
const TOLERANCE = 0.01;

/**
 * Runs two rows together and alone. A softmax over the wrong axis, a mean over the batch or a dynamic quantization gives other
 * results beside other rows, which no shape tells.
 */
export async function rowsMatter(host: RuntimeHost, session: number, facts: ModelFacts): Promise<RowsFound> {
  try {
    const sizes = new Map(batchNames(facts.inputs).map((name) => [name, 2]));
    for (const { name } of facts.inputs) sizes.set(`${name}:0`, 2);
    const inputs = sizedInputs(facts.inputs, sizes);
    const feeds = await seededReader(0, 1, inputs, { memoryBytes: INPUT_BYTES }).read(0, 1);
    const together = await host.request('run', { session, feeds });
    for (const row of [0, 1]) {
      const alone = await host.request('run', { session, feeds: rowOf(feeds, row) });
      for (const [name, tensor] of alone) {
        const both = together.get(name);
        if (both === undefined || both.dims[0] !== 2 || tensor.dims[0] !== 1) {
          return { kind: 'dependent', why: `the output "${name}" has ${both?.dims[0] ?? 0} rows for 2 rows of input` };
        }
        if (!isSame(rowTensor(both, row), tensor)) {
          return { kind: 'dependent', why: `a row of the output "${name}" differs beside another row of input` };
        }
      }
    }
    return { kind: 'independent' };
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code === 'SO8130') throw error;
    return { kind: 'unknown', why: `Whether rows of a batch influence each other was not checked: ${error.message}.` };
  }
}

function rowOf(feeds: Feeds, row: number): Feeds {
  return new Map([...feeds].map(([name, tensor]) => [name, rowTensor(tensor, row)]));
}

function rowTensor({ dataType, dims, data }: HostTensor, row: number): HostTensor {
  const count = data.length / (dims[0] ?? 1);
  const part = data.slice(row * count, (row + 1) * count) as HostData;
  return { dataType, dims: [1, ...dims.slice(1)], data: part };
}

function isSame(a: HostTensor, b: HostTensor): boolean {
  if (a.dims.join() !== b.dims.join()) return false;
  if (!isFloat(a.dataType))
    return a.data.length === b.data.length && [...a.data].every((item, i) => item === b.data[i]);
  const [left, right] = [numbers(a), numbers(b)];
  let largest = 0;
  let difference = 0;
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? Number.NaN;
    if (Number.isNaN(value) && Number.isNaN(other)) continue;
    if (value === other) continue;
    largest = Math.max(largest, Math.abs(value), Math.abs(other));
    const apart = Math.abs(value - other);
    if (Number.isNaN(apart)) return false;
    difference = Math.max(difference, apart);
  }
  return difference <= TOLERANCE * largest;
}

function numbers({ dataType, data }: HostTensor): Float64Array {
  if (dataType === DataType.FLOAT16) return Float64Array.from(data as Uint16Array, fromFloat16);
  return Float64Array.from(data as Iterable<number>, Number);
}
