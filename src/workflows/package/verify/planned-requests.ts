import type { DataReading } from '../../../samples/data-reading.js';
import { openDataset } from '../../../samples/dataset/open-dataset.js';
import { seededReader } from '../../../samples/seeded-reader.js';
import type { Feeds, HostData, HostTensor, SampleSource } from '../../../samples/types.js';
import { bytesOf, elementsView } from '../../../tensor/tensor.js';
import type { Reference } from './reference.js';

/** A request, and what the server should respond. */
export interface PlannedRequest {
  readonly request: Feeds;
  readonly expected: Feeds;
}

/** Rows of the request that holds several samples at once. */
const STACKED_ROWS = 3;

/**
 * A request for each sample, and where the server batches one with several rows.
 * @throws SO4001 to SO4004 for data, SO5002 where ONNX Runtime does not run a sample
 */
export async function planRequests(
  reference: Reference,
  source: SampleSource,
  reading: DataReading = {},
): Promise<PlannedRequest[]> {
  const samples = await readSamples(reference, source, reading);
  const requests = samples.map((sample) => reference.toClient(sample));
  const rows = Math.min(STACKED_ROWS, reference.maxBatchSize);
  const stacked = rows > 1 ? stackFeeds(requests, rows) : undefined;
  const planned: PlannedRequest[] = [];
  for (const request of stacked ? [...requests, stacked] : requests) {
    planned.push({ request, expected: await reference.run(request) });
  }
  return planned;
}

async function readSamples(reference: Reference, source: SampleSource, reading: DataReading): Promise<Feeds[]> {
  const fitted = await reference.fit(source);
  const reader =
    fitted.kind === 'data'
      ? await openDataset(fitted.path, reference.inputs, { reading })
      : seededReader(fitted.seed, fitted.count, reference.inputs, { plan: fitted.plan });
  try {
    const step = reader.block ?? 1;
    const wanted = source.count ?? reader.count;
    const feeds: Feeds[] = [];
    for (let at = 0; at < reader.count && feeds.length < wanted; at += step) {
      feeds.push(await reader.read(at, Math.min(step, reader.count - at)));
    }
    return feeds;
  } finally {
    await reader.close?.();
  }
}

/** The first `rows` requests whose shapes are equal as one; undefined where there are too few. */
function stackFeeds(requests: readonly Feeds[], rows: number): Feeds | undefined {
  const shapeOf = (feeds: Feeds): string => [...feeds].map(([name, { dims }]) => `${name}:${dims.slice(1)}`).join(' ');
  const first = requests[0];
  const alike = first === undefined ? [] : requests.filter((feeds) => shapeOf(feeds) === shapeOf(first)).slice(0, rows);
  if (first === undefined || alike.length < 2) return undefined;
  return new Map(
    [...first.keys()].map((name) => [name, stackTensors(alike.map((feeds) => feeds.get(name) as HostTensor))]),
  );
}

function stackTensors(tensors: readonly HostTensor[]): HostTensor {
  const [first] = tensors as readonly [HostTensor];
  const batch = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 1), 0);
  return { ...first, dims: [batch, ...first.dims.slice(1)], data: joined(tensors) };
}

function joined(tensors: readonly HostTensor[]): HostData {
  const texts: string[] = [];
  const bytes: Uint8Array[] = [];
  for (const { data } of tensors) {
    if (ArrayBuffer.isView(data)) bytes.push(bytesOf(data));
    else texts.push(...(data as readonly string[]));
  }
  const [first] = tensors as readonly [HostTensor];
  // Buffers of Node may share memory at any offset; elements need their alignment.
  return elementsView(first.dataType, new Uint8Array(Buffer.concat(bytes))) ?? texts;
}
