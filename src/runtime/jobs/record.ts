import { ServeOptError } from '../../errors.js';
import { isFloatTensor } from '../../evaluate/host-numbers.js';
import { fileStem } from '../../samples/dataset/npy-file.js';
import { isWritable, NpyWriter } from '../../samples/dataset/npy-writer.js';
import type { SampleReader } from '../../samples/sample-reader.js';
import type { Feeds, HostTensor, SampleSource, ValueSpec } from '../../samples/types.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { bytesOf, elementCount } from '../../tensor/tensor.js';
import { cutRows, fittingBatch } from '../batches.js';
import type { ChildSession, JobContext, ReportProgress } from '../job.js';
import { floatRows, scoreTraits } from './score-traits.js';

/** Which input of the model is fed what: the name in the samples, by the name of the model. */
export type InputNames = ReadonlyMap<string, string>;

export interface PeekParams {
  /** Absent where only labels and mask are wanted: no sample is run then. */
  readonly session?: number;
  readonly source: SampleSource;
  /** Under the names that the samples have. */
  readonly inputs: readonly ValueSpec[];
  readonly names: InputNames;
  /** An array in the data that says what counts of a sample. */
  readonly mask?: string;
}

/** What the data holds, and what the first sample gives. */
export interface PeekResult {
  readonly count: number;
  readonly labels?: HostTensor;
  /** Of each sample, 1 where it counts; [samples, …]. */
  readonly mask?: HostTensor;
  readonly outputs: readonly { readonly name: string; readonly dataType: number; readonly dims: readonly number[] }[];
  readonly warnings: readonly string[];
}

/** An output that is to be kept. */
export interface RecordedName {
  readonly name: string;
  /** Axis of the classes, counted from the end: moved to the last place. */
  readonly axis?: number;
}

export interface RecordParams extends Omit<PeekParams, 'mask' | 'session'> {
  readonly session: number;
  readonly outputs: readonly RecordedName[];
  /** An existing folder. */
  readonly folder: string;
  /** What file names begin with. */
  readonly stem: string;
  readonly batchSize?: number;
}

/** An output of all samples, in files. */
export interface RecordedOutput {
  readonly name: string;
  readonly dataType: number;
  /** File names in the folder, in order. */
  readonly files: readonly string[];
  readonly rows: number;
  readonly rowDims: readonly number[];
  /** Every row along the last axis is between 0 and 1 and sums to 1. */
  readonly probabilities: boolean;
  /** Every value is between 0 and 1. */
  readonly unit: boolean;
}

export interface RecordResult {
  readonly samples: number;
  readonly batchSize: number;
  readonly outputs: readonly RecordedOutput[];
}

/** Runs the first sample and tells what comes out, and reads labels and mask. */
export async function peekJob(context: JobContext, params: PeekParams): Promise<PeekResult> {
  const session = params.session === undefined ? undefined : context.session(params.session);
  const reader = await context.openSamples(params.source, params.inputs);
  try {
    const outputs = session
      ? cutRows(await session.run(feedsOf(session, await reader.read(0, 1), params.names)), 1, reader.block ?? 1)
      : new Map<string, HostTensor>();
    const mask = params.mask === undefined ? undefined : await maskOf(context, params, params.mask);
    return {
      count: reader.count,
      ...(reader.labels ? { labels: reader.labels } : {}),
      ...(mask ? { mask } : {}),
      outputs: [...outputs].map(([name, { dataType, dims }]) => ({ name, dataType, dims })),
      warnings: reader.warnings ?? [],
    };
  } finally {
    await reader.close?.();
  }
}

/** The array that says what counts, of all samples: an input, or an array beside them. */
async function maskOf(context: JobContext, { source, inputs }: PeekParams, name: string): Promise<HostTensor> {
  const known = inputs.find((spec) => spec.name === name);
  const spec = known ?? { name, dataType: DataType.INT64, shape: undefined, typeText: 'int64' };
  const reader = await context.openSamples(source, known ? inputs : [...inputs, spec]);
  try {
    const parts: Uint8Array[] = [];
    let dims: readonly number[] = [];
    for (let start = 0; start < reader.count; start++) {
      const tensor = (await reader.read(start, 1)).get(name);
      if (!tensor) continue;
      dims = tensor.dims.slice(1);
      parts.push(Uint8Array.from({ length: elementCount(dims) }, (_, i) => (Number(tensor.data[i]) === 0 ? 0 : 1)));
    }
    const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    return { dataType: DataType.BOOL, dims: [reader.count, ...dims], data };
  } finally {
    await reader.close?.();
  }
}

/**
 * Runs a model on all samples and writes outputs into .npy files, one row a sample. Memory holds one run.
 * @throws SO4002 for an output whose shape differs from sample to sample, or that is not of floats
 */
export async function recordJob(
  context: JobContext,
  params: RecordParams,
  progress: ReportProgress,
): Promise<RecordResult> {
  const session = context.session(params.session);
  const reader = await context.openSamples(params.source, params.inputs);
  const recorders: Recorder[] = [];
  try {
    const fetches = params.outputs.map(({ name }) => name);
    const run = (_: ChildSession, feeds: Feeds): Promise<Map<string, HostTensor>> =>
      session.run(feedsOf(session, feeds, params.names), fetches);
    const step = await stepOf(session, reader, params.batchSize, run);
    for (const output of params.outputs) recorders.push(new Recorder(output, params, reader.count));
    for (let start = 0; start < reader.count; start += step) {
      const count = Math.min(step, reader.count - start);
      const feeds = await reader.read(start, count);
      const outputs = cutRows(await run(session, feeds), count, reader.block === undefined ? count : step);
      for (const recorder of recorders) recorder.add(outputs.get(recorder.name), start, count);
      progress({ done: start + count, total: reader.count });
    }
    return { samples: reader.count, batchSize: step, outputs: recorders.map((recorder) => recorder.result()) };
  } finally {
    for (const recorder of recorders) recorder.close();
    await reader.close?.();
  }
}

async function stepOf(
  session: ChildSession,
  reader: SampleReader,
  batchSize: number | undefined,
  run: (session: ChildSession, feeds: Feeds) => Promise<Map<string, HostTensor>>,
): Promise<number> {
  if (batchSize === undefined) return fittingBatch([session], reader, run);
  return reader.block ?? (reader.batchable ? Math.max(1, batchSize) : 1);
}

/** Under the names of the model; what it does not take is left out. */
function feedsOf(session: ChildSession, feeds: Feeds, names: InputNames): Feeds {
  return new Map(
    session.inputNames.flatMap((input) => {
      const tensor = feeds.get(names.get(input) ?? input);
      return tensor ? [[input, tensor] as const] : [];
    }),
  );
}

/** Bytes of a file, about. */
const FILE_BYTES = 256 * 1024 * 1024;

/** Writes one output. */
class Recorder {
  readonly name: string;
  readonly #axis: number;
  readonly #params: RecordParams;
  readonly #samples: number;
  #dims: readonly number[] | undefined;
  #dataType = 0;
  #writer: NpyWriter | undefined;
  #probabilities = true;
  #unit = true;

  constructor({ name, axis = -1 }: RecordedName, params: RecordParams, samples: number) {
    this.name = name;
    this.#axis = axis;
    this.#params = params;
    this.#samples = samples;
  }

  add(tensor: HostTensor | undefined, start: number, count: number): void {
    if (!tensor) throw new ServeOptError('SO4002', `The output "${this.name}" is not a tensor`);
    const data = tensor.data;
    if (!isFloatTensor(tensor) || !ArrayBuffer.isView(data) || !isWritable(tensor.dataType))
      throw new ServeOptError(
        'SO4002',
        `The output "${this.name}" is ${dataTypeName(tensor.dataType)}, not of floats`,
        {
          hint: 'choose an output of scores with --output-name',
        },
      );
    const rowDims = this.#rowDims(tensor.dims, count);
    if (this.#dims === undefined) this.#begin(rowDims, tensor.dataType);
    else if (this.#dims.join() !== rowDims.join())
      throw new ServeOptError('SO4002', `The output "${this.name}" has different shapes for different samples`, {
        why: `[${this.#dims.join(', ')}] for the first sample, [${rowDims.join(', ')}] for sample ${start}`,
        hint: 'pad the samples to one length, and name the mask with --mask',
      });
    const moved = movedToEnd(data, rowDims, this.#axis, count);
    const width = this.#rowWidth();
    if (this.#unit) {
      const traits = scoreTraits(floatRows(moved, tensor.dataType), width);
      this.#unit = traits.unit;
      this.#probabilities &&= traits.probabilities;
    }
    this.#writer?.write(bytesOf(moved));
  }

  result(): RecordedOutput {
    this.close();
    return {
      name: this.name,
      dataType: this.#dataType,
      files: this.#writer?.files ?? [],
      rows: this.#samples,
      rowDims: endDims(this.#dims ?? [], this.#axis),
      probabilities: this.#unit && this.#probabilities,
      unit: this.#unit,
    };
  }

  close(): void {
    this.#writer?.close();
  }

  #rowDims(dims: readonly number[], count: number): readonly number[] {
    if (dims.length > 0 && dims[0] === count) return dims.slice(1);
    // A model without a batch axis gives one row without saying so.
    if (count === 1) return dims;
    throw new ServeOptError('SO4002', `The output "${this.name}" has no row for each sample`, {
      why: `its shape is [${dims.join(', ')}] for ${count} samples`,
      hint: 'run one sample at a time: add --batch 1',
    });
  }

  #rowWidth(): number {
    return endDims(this.#dims ?? [], this.#axis).at(-1) ?? 1;
  }

  #begin(rowDims: readonly number[], dataType: number): void {
    this.#dims = rowDims;
    this.#dataType = dataType;
    const { folder, stem } = this.#params;
    const rowBytes = Math.max(1, elementCount(rowDims) * 8);
    this.#writer = new NpyWriter({
      folder,
      stem: `${stem}-${fileStem(this.name).slice(0, 60)}`,
      dataType,
      rowDims: endDims(rowDims, this.#axis),
      rows: this.#samples,
      rowsPerFile: Math.max(1, Math.floor(FILE_BYTES / rowBytes)),
    });
  }
}

type Numbers = Exclude<HostTensor['data'], readonly string[]>;

/** Dimensions of a row with `axis` last. */
function endDims(rowDims: readonly number[], axis: number): readonly number[] {
  const at = rowDims.length + axis;
  return at < 0 ? rowDims : [...rowDims.slice(0, at), ...rowDims.slice(at + 1), rowDims[at] as number];
}

/** Elements of rows with `axis` moved to the end. */
function movedToEnd(data: Numbers, rowDims: readonly number[], axis: number, rows: number): Numbers {
  const at = rowDims.length + axis;
  const inner = elementCount(rowDims.slice(at + 1));
  if (axis === -1 || at < 0 || inner === 1) return data;
  const classes = rowDims[at] as number;
  const target = data.slice() as Float32Array;
  const source = data as Float32Array;
  const outer = rows * elementCount(rowDims.slice(0, at));
  for (let o = 0; o < outer; o++) {
    const from = o * classes * inner;
    for (let i = 0; i < inner; i++)
      for (let c = 0; c < classes; c++) target[from + i * classes + c] = source[from + c * inner + i] as number;
  }
  return target;
}
