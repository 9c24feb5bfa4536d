import { ServeOptError } from '../../../errors.js';
import type { Tolerance } from '../../../evaluate/equality.js';
import type { Model } from '../../../ir/model.js';
import { readModel } from '../../../ir/read-model.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { SESSIONS } from '../../../runtime/session-options.js';
import type { Feeds, SampleSource, ValueSpec } from '../../../samples/types.js';
import { inputSpecs, outputSpecs } from '../../../samples/value-specs.js';
import type { ConfiguredTensor, EnsembleStep, TritonConfiguration } from '../../../serving/triton-repository.js';
import { toleranceOf } from '../../optimize/tolerance.js';
import { whyNotRunnable } from '../../preflight/runnable.js';
import { fitSource } from '../../workbench/fit-source.js';
import { asClientTensor, asModelTensor, type ServedShape, servedShape } from './served-shape.js';

/** What ONNX Runtime says that a served model should respond, in the shapes that clients see. */
export interface Reference {
  /** What samples are made for: the model's own inputs, a batch of the server as one row. */
  readonly inputs: readonly ValueSpec[];
  readonly tolerance: Tolerance;
  /** Requests may have several rows. */
  readonly maxBatchSize: number;
  /** A source of synthetic samples that the model accepts. */
  fit(source: SampleSource): Promise<SampleSource>;
  /** Tensors of the model as a client sends them. */
  toClient(feeds: Feeds): Feeds;
  /** Outputs for a request, as a client gets them. */
  run(request: Feeds): Promise<Feeds>;
}

/** What of a configuration says how a model is served. Where a list is empty, tensors go as they are. */
export type ServedInterface = Pick<TritonConfiguration, 'maxBatchSize' | 'inputs' | 'outputs'>;

type Shapes = ReadonlyMap<string, ServedShape>;

/** A served ONNX model. */
export class ModelReference implements Reference {
  readonly inputs: readonly ValueSpec[];
  readonly tolerance: Tolerance;
  readonly maxBatchSize: number;
  readonly #host: RuntimeHost;
  readonly #session: number;
  readonly #inputShapes: Shapes;
  readonly #outputShapes: Shapes;

  private constructor(host: RuntimeHost, session: number, model: Model, configuration: ServedInterface) {
    const { maxBatchSize, inputs, outputs } = configuration;
    this.#host = host;
    this.#session = session;
    this.maxBatchSize = maxBatchSize;
    this.tolerance = toleranceOf(model, false);
    const specs = inputSpecs(model);
    this.#inputShapes = shapesOf(inputs, specs, maxBatchSize);
    this.#outputShapes = shapesOf(outputs, outputSpecs(model), maxBatchSize);
    this.inputs = specs.map((spec) => served(spec, this.#inputShapes.get(spec.name), maxBatchSize));
  }

  /**
   * Loads a model file in ONNX Runtime. The caller closes its process.
   * @throws SO2xxx and SO3xxx for a file that is no model, SO5001, SO5006
   */
  static async open(host: RuntimeHost, path: string, configuration: ServedInterface): Promise<ModelReference> {
    // The package may be a chain of hard links to the files of another place.
    const model = await readModel(path, { allowLinks: true });
    try {
      const reason = whyNotRunnable(model);
      if (reason !== undefined)
        throw new ServeOptError('SO5006', reason, { hint: 'it cannot be compared on this machine' });
      const { session } = await host.request('load', { path, options: SESSIONS.compared });
      return new ModelReference(host, session, model, configuration);
    } finally {
      model.source?.close();
    }
  }

  async fit(source: SampleSource): Promise<SampleSource> {
    const fitted = await fitSource(this.#host, this.#session, this.inputs, source);
    if (typeof fitted !== 'string') return fitted;
    throw new ServeOptError('SO5002', `The model cannot be verified: ${fitted}`, {
      hint: 'give real samples with --data',
    });
  }

  toClient(feeds: Feeds): Feeds {
    return mapped(feeds, this.#inputShapes, asClientTensor);
  }

  async run(request: Feeds): Promise<Feeds> {
    const feeds = mapped(request, this.#inputShapes, asModelTensor);
    const outputs = await this.#host.request('run', {
      session: this.#session,
      feeds,
      ...(this.#outputShapes.size === 0 ? {} : { fetches: [...this.#outputShapes.keys()] }),
    });
    return mapped(outputs, this.#outputShapes, asClientTensor);
  }
}

/** An ensemble, as the references of its steps. */
export class EnsembleReference implements Reference {
  readonly inputs: readonly ValueSpec[];
  readonly tolerance: Tolerance;
  readonly maxBatchSize: number;
  readonly #steps: readonly (EnsembleStep & { readonly reference: Reference })[];
  readonly #outputs: readonly string[];

  constructor(
    configuration: TritonConfiguration,
    steps: readonly (EnsembleStep & { readonly reference: Reference })[],
  ) {
    this.maxBatchSize = configuration.maxBatchSize;
    this.#steps = inOrder(steps, configuration.inputs);
    this.#outputs = configuration.outputs.map(({ name }) => name);
    this.inputs = configuration.inputs.map(({ name }) => this.#specOf(name));
    this.tolerance = loosest(steps.map(({ reference }) => reference.tolerance));
  }

  /** What the first step that takes it wants. */
  #specOf(name: string): ValueSpec {
    for (const { inputs, reference } of this.#steps) {
      for (const [input, tensor] of inputs) {
        const spec = tensor === name ? reference.inputs.find((each) => each.name === input) : undefined;
        if (spec) return { ...spec, name };
      }
    }
    throw new ServeOptError('SO5103', `No step of the ensemble takes its input "${name}"`);
  }

  async fit(source: SampleSource): Promise<SampleSource> {
    return source;
  }

  toClient(feeds: Feeds): Feeds {
    let result = feeds;
    for (const { inputs, reference } of this.#steps) {
      const own = [...inputs].filter(([, tensor]) => feeds.has(tensor));
      const given: Feeds = new Map(own.flatMap(([input, tensor]) => entry(input, feeds.get(tensor))));
      const client = reference.toClient(given);
      result = new Map([...result, ...own.flatMap(([input, tensor]) => entry(tensor, client.get(input)))]);
    }
    return result;
  }

  async run(request: Feeds): Promise<Feeds> {
    const known: Feeds = new Map(request);
    for (const { inputs, outputs, reference } of this.#steps) {
      const given: Feeds = new Map([...inputs].flatMap(([input, tensor]) => entry(input, known.get(tensor))));
      const made = await reference.run(given);
      for (const [output, tensor] of outputs) {
        const value = made.get(output);
        if (value) known.set(tensor, value);
      }
    }
    return new Map(this.#outputs.flatMap((name) => entry(name, known.get(name))));
  }
}

function entry<T>(name: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[name, value]];
}

/** Steps by what they need. @throws SO5103 for a cycle, which Triton refuses as well */
function inOrder<S extends EnsembleStep>(steps: readonly S[], inputs: readonly ConfiguredTensor[]): S[] {
  const known = new Set(inputs.map(({ name }) => name));
  const left = new Set(steps);
  const ordered: S[] = [];
  while (left.size > 0) {
    const ready = [...left].filter((step) => [...step.inputs.values()].every((tensor) => known.has(tensor)));
    if (ready.length === 0) throw new ServeOptError('SO5103', 'The steps of the ensemble wait for each other');
    for (const step of ready) {
      left.delete(step);
      ordered.push(step);
      for (const tensor of step.outputs.values()) known.add(tensor);
    }
  }
  return ordered;
}

function loosest(tolerances: readonly Tolerance[]): Tolerance {
  const largest = (pick: (tolerance: Tolerance) => number): number => Math.max(0, ...tolerances.map(pick));
  return {
    exact: tolerances.every(({ exact }) => exact),
    relative: largest(({ relative }) => relative),
    ofLargest: largest(({ ofLargest }) => ofLargest),
    ties: largest(({ ties }) => ties),
  };
}

function shapesOf(tensors: readonly ConfiguredTensor[], specs: readonly ValueSpec[], maxBatchSize: number): Shapes {
  const ranks = new Map(specs.map(({ name, shape }) => [name, shape?.length]));
  return new Map(tensors.map((tensor) => [tensor.name, servedShape(tensor, maxBatchSize, ranks.get(tensor.name))]));
}

/** An input of a sample: one row of a batch, and the sizes that the configuration fixes. */
function served(spec: ValueSpec, shape: ServedShape | undefined, maxBatchSize: number): ValueSpec {
  if (spec.shape === undefined || shape === undefined) return spec;
  const dims = spec.shape.map((dim, axis) => {
    const fixed = shape.model[axis] ?? -1;
    if (axis === 0 && maxBatchSize > 0) return 1;
    return fixed > 0 ? fixed : dim;
  });
  return { ...spec, shape: dims };
}

function mapped(feeds: Feeds, shapes: Shapes, change: typeof asClientTensor): Feeds {
  return new Map(
    [...feeds].map(([name, tensor]) => {
      const shape = shapes.get(name);
      return [name, shape === undefined ? tensor : change(name, tensor, shape)];
    }),
  );
}
