import { ServeOptError } from '../../errors.js';
import type { ModelConfig } from '../../proto/model-config.js';
import { type Connections, inputKey, parseConnections, type StepNames, type StepTensor } from './ensemble-map.js';
import { setFields } from './set-fields.js';

/** A model of a repository that is a step of an ensemble. */
export interface EnsembleMember {
  readonly name: string;
  readonly config: ModelConfig;
}

/** What an ensemble is made of. */
export interface EnsembleOptions {
  readonly name: string;
  /** Connections as `--map` writes them. */
  readonly map?: readonly string[];
  readonly maxBatch?: number;
  readonly fields?: readonly string[];
}

/** The configuration of an ensemble, and what to say of it. */
export interface BuiltEnsemble {
  readonly config: ModelConfig;
  readonly notes: readonly string[];
}

/** A tensor between steps, as a request of a step has it. */
interface Wire {
  readonly type: string;
  /** Without the batch, where the step has one. */
  readonly dims: readonly number[];
  readonly isBatched: boolean;
  /** For messages: `the output "y" of "a"`. */
  readonly place: string;
}

interface Step extends StepNames {
  readonly model: string;
  readonly inputWires: ReadonlyMap<string, Wire>;
  readonly outputWires: ReadonlyMap<string, Wire>;
  readonly optional: ReadonlySet<string>;
}

/**
 * The configuration of an ensemble: steps run in the order given, an input takes the output of that name from the nearest step
 * before it, or what `map` says, or becomes an input of the ensemble. Outputs that no step takes are outputs of the ensemble.
 * @throws SO3506 where two sides of a connection do not fit, naming both, or a step is connected with nothing
 */
export function buildEnsemble(members: readonly EnsembleMember[], options: EnsembleOptions): BuiltEnsemble {
  const steps = members.map((member, index) => stepOf(member, labelOf(members, index)));
  const connections = parseConnections(options.map ?? [], steps);
  const plan = connect(steps, connections);
  checkConnected(steps, plan);
  const names = nameOutputs(steps, plan, connections);
  const maxBatch = ensembleBatch(members, options.maxBatch);
  const isBatched = maxBatch > 0;
  const exposed = [...names.exposed];
  const config: ModelConfig = {
    name: options.name,
    platform: 'ensemble',
    max_batch_size: maxBatch,
    input: [...plan.inputs].map(([name, wire]) => tensorOf(name, wire, isBatched)) as ModelConfig['input'] & object,
    output: exposed.map(([name, from]) => tensorOf(name, wireOf(steps, from), isBatched)) as ModelConfig['output'] &
      object,
    ensemble_scheduling: {
      step: steps.map((step, index) => ({
        model_name: step.model,
        model_version: -1,
        input_map: new Map(
          step.inputs.flatMap((input) => {
            const source = plan.sources.get(inputKey({ step: index, tensor: input }));
            if (source === undefined) return [];
            return [[input, typeof source === 'string' ? source : names.of(source)] as const];
          }),
        ),
        output_map: new Map(
          step.outputs.flatMap((output) => {
            const name = names.maybe({ step: index, tensor: output });
            return name === undefined ? [] : [[output, name] as const];
          }),
        ),
      })),
    },
  };
  const batchNote = isBatched
    ? []
    : ['The ensemble is not batched: one of its models is not. Shapes of requests include the first dimension.'];
  return { config: setFields(config, options.fields ?? []), notes: [...names.notes, ...batchNote] };
}

function labelOf(members: readonly EnsembleMember[], index: number): string {
  const { name } = members[index] as EnsembleMember;
  const before = members.slice(0, index).filter((other) => other.name === name).length;
  return before === 0 ? name : `${name}#${before + 1}`;
}

function stepOf({ name, config }: EnsembleMember, label: string): Step {
  const { input = [], output = [], max_batch_size: maxBatch = 0 } = config;
  if (input.length === 0 || output.length === 0) {
    throw new ServeOptError(
      'SO3506',
      `The configuration of "${name}" lists no ${input.length === 0 ? 'inputs' : 'outputs'}`,
      {
        why: 'the ensemble is connected by the names, types and shapes that stand there',
        hint: `package "${name}" with serve-opt package triton, or add them to its config.pbtxt`,
      },
    );
  }
  type Entry = {
    readonly name?: string;
    readonly data_type?: string | number;
    readonly dims?: readonly (number | bigint)[];
  };
  const wires = (role: string, list: readonly Entry[]): Map<string, Wire> =>
    new Map(
      list.map((entry) => [
        entry.name ?? '',
        {
          type: String(entry.data_type ?? 'TYPE_INVALID'),
          dims: (entry.dims ?? []).map(Number),
          isBatched: maxBatch > 0,
          place: `the ${role} "${entry.name ?? ''}" of "${label}"`,
        },
      ]),
    );
  const [inputWires, outputWires] = [wires('input', input), wires('output', output)];
  const optional = new Set(input.filter((each) => each.optional).map((each) => each.name ?? ''));
  return {
    label,
    model: name,
    inputWires,
    outputWires,
    optional,
    inputs: [...inputWires.keys()],
    outputs: [...outputWires.keys()],
  };
}

interface Plan {
  readonly sources: ReadonlyMap<string, StepTensor | string>;
  /** Inputs of the ensemble. */
  readonly inputs: ReadonlyMap<string, Wire>;
  /** Keys of outputs that a step takes. */
  readonly taken: ReadonlySet<string>;
}

function connect(steps: readonly Step[], connections: Connections): Plan {
  const sources = new Map<string, StepTensor | string>();
  const inputs = new Map<string, Wire>();
  const taken = new Set<string>();
  for (const [index, step] of steps.entries()) {
    for (const [input, wire] of step.inputWires) {
      const key = inputKey({ step: index, tensor: input });
      const source = connections.sources.get(key) ?? producerOf(steps, index, input) ?? input;
      if (typeof source !== 'string') {
        checkFit(wireOf(steps, source), wire);
        taken.add(inputKey(source));
        sources.set(key, source);
        continue;
      }
      if (step.optional.has(input) && !connections.sources.has(key)) continue;
      const known = inputs.get(source);
      if (known === undefined) inputs.set(source, wire);
      else {
        checkFit(known, wire);
        inputs.set(source, narrower(known, wire));
      }
      sources.set(key, source);
    }
  }
  return { sources, inputs, taken };
}

/** The nearest step before that has an output of this name. */
function producerOf(steps: readonly Step[], before: number, tensor: string): StepTensor | undefined {
  for (let step = before - 1; step >= 0; step--) if (steps[step]?.outputWires.has(tensor)) return { step, tensor };
  return undefined;
}

function wireOf(steps: readonly Step[], { step, tensor }: StepTensor): Wire {
  const wire = steps[step]?.outputWires.get(tensor);
  if (wire === undefined) throw new TypeError(`Step ${step} has no output ${tensor}`);
  return wire;
}

/** Two sides of a connection as Triton compares them: with or without the batch, -1 fits everything. */
function checkFit(a: Wire, b: Wire): void {
  if (a.type !== b.type) throw misfit(a, b, `${a.type} is not ${b.type}`);
  if (dimsFit(a.dims, b.dims) && a.isBatched === b.isBatched) return;
  const [whole, other] = [wholeDims(a), wholeDims(b)];
  if (dimsFit(whole, other)) return;
  throw misfit(a, b, `[${whole.join(', ')}] does not fit [${other.join(', ')}]`);
}

function misfit(a: Wire, b: Wire, why: string): ServeOptError {
  const [first, second] = [a, b].map(({ place, type, dims }) => `${place} (${type} [${dims.join(', ')}])`);
  return new ServeOptError('SO3506', `The ensemble does not fit: ${first} and ${second}`, {
    why,
    hint: 'connect other tensors with --map, or put a model between them',
  });
}

function wholeDims({ dims, isBatched }: Wire): readonly number[] {
  return isBatched ? [-1, ...dims] : dims;
}

function dimsFit(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis] || dim === -1 || b[axis] === -1);
}

/** What fits both. */
function narrower(a: Wire, b: Wire): Wire {
  if (a.dims.length !== b.dims.length) return a.isBatched ? b : a;
  return { ...a, dims: a.dims.map((dim, axis) => (dim === -1 ? (b.dims[axis] ?? -1) : dim)) };
}

/** Every step but the first takes something from another, or gives something to one. */
function checkConnected(steps: readonly Step[], { sources, taken }: Plan): void {
  for (const [index, step] of steps.entries()) {
    if (steps.length === 1) return;
    const takes = step.inputs.some(
      (tensor) => typeof (sources.get(inputKey({ step: index, tensor })) ?? '') !== 'string',
    );
    const gives = step.outputs.some((tensor) => taken.has(inputKey({ step: index, tensor })));
    if (takes || gives) continue;
    const other = steps[index === 0 ? 1 : index - 1] as Step;
    const [from, to] = index === 0 ? [step, other] : [other, step];
    throw new ServeOptError('SO3506', `The step "${step.label}" is connected with no other`, {
      why: `the outputs of "${from.label}" are ${from.outputs.join(', ')}, the inputs of "${to.label}" are ${to.inputs.join(', ')}`,
      hint: `connect them: --map ${to.label}.${to.inputs[0]}=${from.label}.${from.outputs[0]}`,
    });
  }
}

/** Names of tensors inside of an ensemble. */
interface OutputNames {
  /** Outputs of the ensemble. */
  readonly exposed: ReadonlyMap<string, StepTensor>;
  of(tensor: StepTensor): string;
  /** Undefined for an output that nothing takes. */
  maybe(tensor: StepTensor): string | undefined;
  readonly notes: readonly string[];
}

function nameOutputs(steps: readonly Step[], plan: Plan, connections: Connections): OutputNames {
  const exposed = new Map<string, StepTensor>();
  const names = new Map<string, string>();
  const notes: string[] = [];
  const used = new Set(plan.inputs.keys());
  for (const [name, tensor] of connections.outputs) {
    if (used.has(name))
      throw new ServeOptError('SO1002', `--map names an input and an output of the ensemble "${name}"`);
    const known = names.get(inputKey(tensor));
    if (known !== undefined)
      throw new ServeOptError('SO1002', `--map gives one tensor two names, "${known}" and "${name}"`);
    used.add(name);
    exposed.set(name, tensor);
    names.set(inputKey(tensor), name);
  }
  for (const [index, step] of steps.entries()) {
    for (const tensor of step.outputs) {
      const key = inputKey({ step: index, tensor });
      const isTaken = plan.taken.has(key);
      // Outputs that --map names are all of them.
      if (names.has(key) || (!isTaken && connections.outputs.size > 0)) continue;
      let name = used.has(tensor) ? `${step.label}.${tensor}` : tensor;
      while (used.has(name)) name += '_';
      if (name !== tensor && !isTaken)
        notes.push(`The output "${tensor}" of "${step.label}" is called "${name}": another tensor has its name.`);
      used.add(name);
      names.set(key, name);
      if (!isTaken) exposed.set(name, { step: index, tensor });
    }
  }
  const maybe = (tensor: StepTensor): string | undefined => names.get(inputKey(tensor));
  return {
    exposed,
    maybe,
    of: (tensor) => {
      const name = maybe(tensor);
      if (name === undefined) throw new TypeError(`No name for output ${tensor.tensor} of step ${tensor.step}`);
      return name;
    },
    notes,
  };
}

function ensembleBatch(members: readonly EnsembleMember[], wanted: number | undefined): number {
  const sizes = members.map(({ config }) => config.max_batch_size ?? 0);
  const most = Math.min(...sizes);
  if (wanted === undefined || wanted <= most) return wanted ?? most;
  const smallest = members[sizes.indexOf(most)]?.name;
  throw new ServeOptError(
    'SO3506',
    `The ensemble cannot be batched to ${wanted} rows: "${smallest}" takes ${most === 0 ? 'no batches' : `at most ${most}`}`,
    {
      hint:
        most === 0 ? 'leave --max-batch out' : `write --max-batch ${most}, or package "${smallest}" with a larger one`,
    },
  );
}

function tensorOf(name: string, wire: Wire, isBatched: boolean) {
  return { name, data_type: wire.type, dims: isBatched ? wire.dims : wholeDims(wire) };
}
