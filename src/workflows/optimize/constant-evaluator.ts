import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteSource, FileBytes, openFileSource } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { ConstantEvaluator } from '../../passes/engine/rewrite.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { EvaluatedOutput } from '../../runtime/protocol.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { type OpenWorkFolder, openWorkFolder } from '../../runtime/work-folder.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { bytesOf, Tensor } from '../../tensor/tensor.js';
import type { WorkflowContext } from '../options.js';

/** Weights below this are written into a fragment: a link would be dearer, above all where links become copies. */
const REFERENCE_FROM_BYTES = 1024 * 1024;
/** Results up to this size come through the channel, larger ones through a file, where they stay until they are written. */
const SENT_BYTES = 256 * 1024;
/** A constant that takes longer than this is better computed when the model runs. */
const LIMIT_MS = 20_000;
/** So many fragments may exceed it; then nothing is evaluated any more. */
const MOST_TIMEOUTS = 2;

/** What a model without inputs may be unfit for: a reason to leave it, not an error. */
const REFUSALS: ReadonlySet<string> = new Set([
  'SO2101',
  'SO2105',
  'SO5001',
  'SO5002',
  'SO5003',
  'SO5004',
  'SO5005',
  'SO5006',
]);

type Outcome = ReadonlyMap<string, Tensor> | string;

/**
 * Computes constants by running fragments of a model in ONNX Runtime. Nothing starts before the first fragment comes; the
 * same fragment is run once. Close it after the tensors it gave were written: large ones stand in its folder.
 */
export class FragmentEvaluator {
  readonly #runtime: LazyRuntime;
  readonly #context: WorkflowContext;
  readonly #known: Map<string, Outcome> = new Map();
  readonly #links: Map<ByteSource, string> = new Map();
  readonly #results: ByteSource[] = [];
  #folder: Promise<OpenWorkFolder> | undefined;
  #fragments = 0;
  #timeouts = 0;
  #unavailable: ServeOptError | undefined;

  constructor(runtime: LazyRuntime, context: WorkflowContext = {}) {
    this.#runtime = runtime;
    this.#context = context;
  }

  /** Why ONNX Runtime could not be used at all; undefined when it could, or was never needed. */
  get unavailable(): ServeOptError | undefined {
    return this.#unavailable;
  }

  /** Runs a model that has no inputs; a sentence where that fails. @throws SO6001, SO8130 */
  readonly evaluate: ConstantEvaluator = async (model: Model): Promise<Outcome> => {
    if (this.#unavailable) return this.#unavailable.message;
    if (this.#timeouts >= MOST_TIMEOUTS) return 'evaluating constants took too long';
    this.#folder ??= openWorkFolder();
    const folder = await this.#folder;
    const name = `fragment-${this.#fragments++}`;
    let path: string | undefined;
    try {
      const links = this.#links;
      path = await writeRunnable(model, folder, {
        name: `${name}.onnx`,
        referenceFromBytes: REFERENCE_FROM_BYTES,
        links,
      });
      const key = createHash('sha256')
        .update(await readFile(path))
        .digest('base64');
      let outcome = this.#known.get(key);
      if (outcome === undefined) {
        outcome = await this.#run(path, join(folder.path, `${name}.bin`));
        this.#known.set(key, outcome);
      }
      return outcome;
    } finally {
      if (path !== undefined) await rm(path, { force: true });
    }
  };

  /** Removes the folder. Tensors that stand in it cannot be read any more. */
  async close(): Promise<void> {
    for (const source of this.#results) source.close();
    await this.#folder?.then(
      (folder) => folder.remove(),
      () => {}, // Never made, which whoever evaluated has been told.
    );
  }

  async #run(path: string, resultPath: string): Promise<Outcome> {
    const { signal } = this.#context;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), LIMIT_MS);
    try {
      const host = await this.#runtime.host();
      const outputs = await host.request(
        'evaluate',
        { path, resultPath, sentBytes: SENT_BYTES },
        { signal: limit.signal },
      );
      return this.#tensors(outputs, resultPath);
    } catch (error) {
      if (!(error instanceof ServeOptError) || signal?.aborted) throw error;
      if (limit.signal.aborted) {
        this.#timeouts++;
        await this.#runtime.close();
        return `it takes longer than ${LIMIT_MS / 1000} s`;
      }
      if (!REFUSALS.has(error.code)) throw error;
      // A process that died, or cannot be started, is replaced once somebody asks again.
      // One that met its limit holds memory that nobody needs any more.
      if (error.code === 'SO5003' || error.code === 'SO2105') await this.#runtime.close();
      if (error.code === 'SO5004') this.#unavailable = error;
      return error.why === undefined ? error.message : `${error.message}: ${error.why}`;
    } finally {
      clearTimeout(timer);
    }
  }

  #tensors(outputs: ReadonlyMap<string, EvaluatedOutput>, resultPath: string): Outcome {
    const tensors = new Map<string, Tensor>();
    let file: ByteSource | undefined;
    for (const [name, output] of outputs) {
      const { dataType, dims } = output;
      if (dataType === DataType.UNDEFINED) return `the type of "${name}" is unknown`;
      if ('fileOffset' in output) {
        if (!file) {
          file = openFileSource(resultPath, 'evaluated constants');
          this.#results.push(file);
        }
        const span = { source: file, start: output.fileOffset, end: output.fileOffset + output.byteLength };
        tensors.set(name, Tensor.of(dataType, dims, new FileBytes(span)));
      } else if (ArrayBuffer.isView(output.data)) {
        tensors.set(name, Tensor.of(dataType, dims, bytesOf(output.data)));
      } else {
        const strings = output.data as readonly string[];
        // JavaScript has no strings of other bytes: what was no UTF-8 is lost.
        if (strings.some((text) => text.includes('\ufffd')))
          return `"${name}" has ${dataTypeName(dataType)} elements that may not be UTF-8`;
        const encoder = new TextEncoder();
        const elements = strings.map((text) => encoder.encode(text));
        tensors.set(
          name,
          Tensor.strings(dims, () => elements),
        );
      }
    }
    return tensors;
  }
}
