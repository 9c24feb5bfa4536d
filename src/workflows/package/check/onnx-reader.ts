import { EXIT, ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import { readModel } from '../../../ir/read-model.js';
import type { Shape } from '../../../ir/type.js';
import { availableMemory } from '../../../machine/available-memory.js';
import { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { OnnxFacts } from '../../../targets/triton/lint/facts.js';
import { type OutputShapes, onnxFacts, outputShapes } from '../../../targets/triton/lint/onnx-facts.js';
import { defaultMemoryBytes, runtimeOptions } from '../../memory.js';
import type { WorkflowContext } from '../../options.js';
import { checkModel } from '../../preflight/model.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import { GuardedRuntime } from '../../workbench/guarded-runtime.js';
import { bytesOnDisk, LOADED_BYTES, loadedShape } from '../loaded-outputs.js';
import type { EntryReader } from './entries.js';

/** A model that tells nothing for so long while it is loaded is not asked any more. */
const SILENCE_MS = 60_000;

/**
 * Reads ONNX files as the server sees them. It compares a configuration with the shapes that ONNX Runtime reports, which follow
 * mostly from the file and from inference; where they do not, ONNX Runtime is asked, for models up to 256 MiB.
 */
export class OnnxReader implements AsyncDisposable {
  readonly #reader: EntryReader;
  readonly #runtime: LazyRuntime;
  readonly #guarded: GuardedRuntime;

  constructor(reader: EntryReader, context: WorkflowContext) {
    this.#reader = reader;
    this.#runtime = new LazyRuntime(runtimeOptions(context, defaultMemoryBytes(LOADED_BYTES, availableMemory())));
    this.#guarded = new GuardedRuntime(this.#runtime, context, SILENCE_MS);
  }

  /** What the check needs of a file, or why it cannot be served. */
  async read(path: string): Promise<OnnxFacts> {
    try {
      // Links to external data do no harm: names and sizes are looked at, and files outside of the package are not loaded.
      const model = await readModel(path, { allowLinks: true });
      try {
        checkModel(model, {});
        const shapes = outputShapes(model);
        return onnxFacts(model, shapes, await this.#reported(model, path, shapes));
      } finally {
        model.source?.close();
      }
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.exitCode !== EXIT.input) throw error;
      const why = error.why === undefined ? '' : ` (${error.why})`;
      return { problem: `${error.message}${why}`, inputs: [], defaults: [], outputs: [], unknownOperators: [] };
    }
  }

  /** Shapes of outputs by ONNX Runtime, where they are in doubt and it can tell. */
  async #reported(model: Model, path: string, shapes: OutputShapes): Promise<ReadonlyMap<string, Shape> | undefined> {
    if ([...shapes.values()].every(({ isSettled }) => isSettled)) return undefined;
    const files = [path, ...(model.source?.externalPaths() ?? [])];
    if (bytesOnDisk(files) > LOADED_BYTES || whyNotRunnable(model) !== undefined) return undefined;
    if (files.some((each) => this.#reader.look(each)?.kind !== 'file')) return undefined;
    const outputs = await this.#guarded.attempt('loading the model', async (host, watch) => {
      const loaded = await host.request('load', { path, options: { graphOptimization: 'basic' } }, watch);
      await host.request('release', { session: loaded.session });
      return loaded.outputs;
    });
    // A model that this version of ONNX Runtime refuses may load in the server's: its operators were looked at.
    if (!Array.isArray(outputs)) return undefined;
    return new Map(outputs.map((value) => [value.name, loadedShape(value, shapes.get(value.name)?.merged)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime.close();
  }
}
