import { closeSync, constants, existsSync, fdatasyncSync, ftruncateSync, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredTensor } from '../../codec/safetensors/read-safetensors.js';
import { outputError } from '../../codec/system-error.js';
import { writeFully } from '../../codec/write-fully.js';
import { bug, ServeOptError } from '../../errors.js';
import { type LinearError, packRows, quantizeRows } from '../../quantize/linear-weights.js';
import type { CheckpointScheme } from '../../targets/vllm/checkpoint-schemes.js';
import type { LinearLayer } from '../../targets/vllm/linear-layers.js';
import { CHUNK_BYTES, uninitializedBytes } from '../../tensor/tensor.js';
import type { ShardPlan } from './plan-shard.js';
import { firstNonFinite, weightRows } from './weight-rows.js';

/** What is known of a tensor once it is done: a line of the journal. */
export interface DoneTensor {
  readonly tensor: string;
  /** Of a quantized layer. */
  readonly error?: LinearError;
}

export interface WriteShardOptions {
  readonly scheme: CheckpointScheme;
  /** Where the file is written; undefined for a dry run. */
  readonly path: string | undefined;
  /** Final path of the checkpoint, for messages. */
  readonly target: string;
  /** Tensors that an earlier run has written: no two files have one of the same name. */
  readonly done: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
  /** Called with tensors whose bytes are on the disk. */
  readonly onDone: (tensors: readonly DoneTensor[]) => void;
}

/** Bytes that are written between two times that the disk is waited for: what an interrupted run has to do again at most. */
const SYNC_BYTES = 256 * 1024 * 1024;

/**
 * Converts the tensors of a weight file in the order of their bytes, each to its place in the result. Memory does not grow
 * with the file: some rows of a matrix are there at a time.
 * @throws SO3562 for a layer with NaN or infinite weights, SO6001, SO8130 once what is done is on the disk
 */
export async function writeShard(plan: ShardPlan, options: WriteShardOptions): Promise<void> {
  const writer = new ShardWriter(plan, options);
  try {
    for (const tensor of plan.shard.header.tensors.values()) {
      if (!options.done.has(tensor.name)) {
        const layer = plan.layers.get(tensor.name);
        const error = layer ? await writer.quantize(tensor, layer) : await writer.copy(tensor);
        writer.finish({ tensor: tensor.name, ...(error ? { error } : {}) });
      }
      options.onBytes(tensor.end - tensor.start);
    }
  } finally {
    writer.close();
  }
  plan.shard.source.checkUnchanged();
}

class ShardWriter {
  readonly #plan: ShardPlan;
  readonly #options: WriteShardOptions;
  readonly #fd: number | undefined;
  #unsynced = 0;
  #finished: DoneTensor[] = [];
  #turn = 0;

  constructor(plan: ShardPlan, options: WriteShardOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#fd = options.path === undefined ? undefined : this.#open(options.path);
  }

  /** Notes a tensor as done, and from time to time puts what is done on the disk. */
  finish(tensor: DoneTensor): void {
    this.#finished.push(tensor);
    if (this.#unsynced >= SYNC_BYTES) this.#sync();
  }

  async quantize(tensor: StoredTensor, layer: LinearLayer): Promise<LinearError> {
    const { scheme } = this.#options;
    const { columns, packed } = { columns: layer.inputs, packed: scheme.format === 'pack-quantized' };
    const codes = this.#place(packed ? `${layer.module}.weight_packed` : layer.tensor);
    const scales = this.#place(`${layer.module}.weight_scale`);
    const codeRow = (codes.end - codes.start) / layer.outputs;
    const scaleRow = (scales.end - scales.start) / layer.outputs;
    const error: LinearError = { signal: 0, noise: 0 };
    for (const { firstRow, values } of weightRows(this.#plan.shard.source, tensor, layer.type)) {
      await this.#breathe(values.byteLength);
      const bad = firstNonFinite(values);
      if (bad !== undefined) throw nonFinite(this.#plan.shard.name, tensor.name, values[bad] as number, layer.module);
      const rows = quantizeRows(values, columns, scheme.codes, layer.type, error);
      const bytes = packed ? packRows(rows.codes, columns, scheme.codes.bits) : new Uint8Array(rows.codes.buffer);
      this.#write(bytes, codes.start + firstRow * codeRow);
      this.#write(rows.scaleBytes, scales.start + firstRow * scaleRow);
    }
    if (packed) {
      const shape = new BigInt64Array([BigInt(layer.outputs), BigInt(layer.inputs)]);
      this.#write(new Uint8Array(shape.buffer), this.#place(`${layer.module}.weight_shape`).start);
    }
    return error;
  }

  async copy(tensor: StoredTensor): Promise<undefined> {
    const to = this.#place(tensor.name);
    const buffer = uninitializedBytes(Math.min(CHUNK_BYTES, tensor.end - tensor.start));
    for (let at = tensor.start; at < tensor.end; at += buffer.byteLength) {
      const piece = buffer.subarray(0, Math.min(buffer.byteLength, tensor.end - at));
      await this.#breathe(piece.byteLength);
      if (this.#fd === undefined) continue;
      this.#plan.shard.source.readInto(piece, at);
      this.#write(piece, to.start + (at - tensor.start));
    }
  }

  close(): void {
    try {
      this.#sync();
    } finally {
      if (this.#fd !== undefined) closeSync(this.#fd);
    }
  }

  #place(name: string): StoredTensor {
    const place = this.#plan.layout.tensors.get(name);
    if (!place) throw bug(`the layout of ${this.#plan.shard.name} has no place for ${name}`);
    return place;
  }

  #open(path: string): number {
    return this.#try(() => {
      const isNew = !existsSync(path);
      const fd = openSync(
        path,
        isNew ? constants.O_RDWR | constants.O_CREAT | constants.O_EXCL : constants.O_RDWR,
        0o666,
      );
      const { head, sizeBytes } = this.#plan.layout;
      ftruncateSync(fd, sizeBytes);
      writeFully(fd, head, 0);
      return fd;
    });
  }

  #write(bytes: Uint8Array, position: number): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#try(() => writeFully(fd, bytes, position));
    this.#unsynced += bytes.byteLength;
  }

  #sync(): void {
    const fd = this.#fd;
    if (this.#finished.length === 0) return;
    if (fd !== undefined) this.#try(() => fdatasyncSync(fd));
    this.#options.onDone(this.#finished);
    this.#finished = [];
    this.#unsynced = 0;
  }

  /** Lets signals and timers run from time to time. @throws SO8130 */
  async #breathe(bytes: number): Promise<void> {
    this.#turn += bytes;
    if (this.#turn < CHUNK_BYTES) return;
    this.#turn = 0;
    await nextTurn();
    if (this.#options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw outputError(this.#options.target, cause);
    }
  }
}

function nonFinite(file: string, tensor: string, value: number, module: string): ServeOptError {
  return new ServeOptError('SO3562', `The weight "${tensor}" cannot be quantized`, {
    why: `it holds ${Number.isNaN(value) ? 'NaN' : 'an infinite value'}, which no code stands for`,
    hint: `leave it out with --exclude '${module}', or download "${file}" again`,
    location: { file },
  });
}
