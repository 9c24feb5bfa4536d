// So that declarations compile in projects whose own libraries do not know `await using`.
/// <reference lib="esnext.disposable" preserve="true" />
import type { ServeOptError } from '../errors.js';
import { cloneModel } from './clone.js';
import type { EditObserver } from './edit-observer.js';
import { Graph } from './graph.js';
import type { ModelFunction } from './model-function.js';
import { runTransforms, type TransformContext, type TransformReport, type TransformStep } from './transform.js';
import { WatchedMap } from './watched-map.js';

/** How the codec can get at the bytes a model was read from, and release them. */
export interface ModelSource {
  /** Path of the model file; undefined for a model made in memory. */
  readonly path: string | undefined;
  readonly sizeBytes: number;
  /** Paths of the external data files opened so far. */
  externalPaths(): readonly string[];
  /** @throws SO2008 when one of the files is no longer the one that was opened; says nothing once closed */
  checkUnchanged(): void;
  close(): void;
}

/**
 * An ONNX model in memory. Weights stay on disk until touched, so the file stays open until `close`, which leaving the scope of
 * `await using` or `using` calls too.
 * @example
 * await using model = await readModel('model.onnx');
 */
export class Model implements Disposable, AsyncDisposable {
  #irVersion = 8;
  #producerName = '';
  #producerVersion = '';
  #domain = '';
  #modelVersion: number | bigint = 0;
  #docString = '';
  /** Opset version by domain; '' is ai.onnx. */
  readonly #opsets: Map<string, number> = new Map();
  /** `metadata_props` of the model, written. */
  readonly metadata: Map<string, string> = new WatchedMap(() => {
    this.changed = true;
  });
  readonly graph: Graph;
  /** Local functions by `functionKey`. */
  readonly functions: Map<string, ModelFunction> = new Map();
  /** Where the codec read it; only the codec looks inside. */
  origin: object | undefined = undefined;
  /** True when a field of the model message itself changed since reading. */
  changed = false;
  source: ModelSource | undefined = undefined;
  /** Whether the files of `source` are this model's to close; a copy reads from those of the model it was made of. */
  ownsSource = true;
  /** Whoever wants to hear of edits of graphs, nodes and values; one at a time. */
  observer: EditObserver | undefined = undefined;
  /** Faults found while reading that make the graph ambiguous: it can be copied, but nothing may compute with it. */
  readonly problems: ServeOptError[] = [];
  readonly #names: Set<string> = new Set();
  readonly #suffixes: Map<string, number> = new Map();

  constructor(graphName = 'graph') {
    this.graph = new Graph(this, graphName);
  }

  get irVersion(): number {
    return this.#irVersion;
  }
  set irVersion(irVersion: number) {
    this.#irVersion = irVersion;
    this.changed = true;
  }
  get producerName(): string {
    return this.#producerName;
  }
  set producerName(producerName: string) {
    this.#producerName = producerName;
    this.changed = true;
  }
  get producerVersion(): string {
    return this.#producerVersion;
  }
  set producerVersion(producerVersion: string) {
    this.#producerVersion = producerVersion;
    this.changed = true;
  }
  get domain(): string {
    return this.#domain;
  }
  set domain(domain: string) {
    this.#domain = domain;
    this.changed = true;
  }
  get modelVersion(): number | bigint {
    return this.#modelVersion;
  }
  set modelVersion(modelVersion: number | bigint) {
    this.#modelVersion = modelVersion;
    this.changed = true;
  }
  get docString(): string {
    return this.#docString;
  }
  set docString(docString: string) {
    this.#docString = docString;
    this.changed = true;
  }

  get opsets(): ReadonlyMap<string, number> {
    return this.#opsets;
  }
  /** Opset version of a domain; 0 when the model does not import it. */
  opset(domain = ''): number {
    return this.#opsets.get(domain) ?? 0;
  }
  setOpset(domain: string, version: number): void {
    this.#opsets.set(domain, version);
    this.changed = true;
  }

  /** Records a name as taken anywhere in the model. */
  claimName(name: string): void {
    this.#names.add(name);
  }

  /** A value name that no graph of the model uses: `base`, or `base_1`, `base_2`, … Deterministic. */
  freshName(base: string): string {
    if (!this.#names.has(base)) return base;
    let suffix = this.#suffixes.get(base) ?? 1;
    while (this.#names.has(`${base}_${suffix}`)) suffix++;
    this.#suffixes.set(base, suffix + 1);
    return `${base}_${suffix}`;
  }

  /**
   * Closes the model file and its data files: weights that were not read by then cannot be read any more, neither here nor in
   * copies (SO2002). Closing a copy does nothing, and so does closing twice.
   */
  close(): void {
    if (this.ownsSource) this.source?.close();
  }
  /** `close()`, at the end of the scope of `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
  /** `close()`, at the end of the scope of `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** An independent copy that shares the weights and the open file: the model that was read is the one to close, after both are done. */
  clone(): Model {
    return cloneModel(this);
  }

  /** Runs passes, or plain functions of the model, in order. Changes the model in place. */
  transform(...steps: readonly TransformStep[]): Promise<TransformReport> {
    return runTransforms(this, steps, {});
  }

  /** Like `transform`, with cancellation and notes. */
  transformWith(context: TransformContext, ...steps: readonly TransformStep[]): Promise<TransformReport> {
    return runTransforms(this, steps, context);
  }
}
