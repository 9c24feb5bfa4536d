import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import { symbolsOf } from '../../ops/dim.js';
import type { ServedInterface, ServedTensor } from './serving-facts.js';
import { DEFAULT_MAX_BATCH } from './triton-options.js';

/**
 * Whether a server may stack requests along the first dimension. `possible`: every first dimension is open, but nothing shows
 * that they are one batch, so only a user who knows it may ask for it.
 */
export type Batchability =
  | { readonly kind: 'yes' }
  | {
      readonly kind: 'possible' | 'no';
      readonly why: string;
      /** The first dimension has a size that the model could leave open. */
      readonly fixed?: boolean;
      /** Nothing speaks against it: a run that gives a row of output for each row of input settles it. */
      readonly unproven?: boolean;
    };

/** First dimensions that are hardly ever a batch, by the name that exporters and people give them. */
const OTHER_THAN_BATCH = /^(seq|sequence|time|timestep|step|len|length|token|frame|height|width|past|total)/i;

/**
 * Looks whether the first dimension of every input and output is the same open one.
 * @param proven outputs whose first dimension is that of the inputs, by inference: exporters give it other names
 */
export function batchability({ inputs, outputs }: ServedInterface, proven: ReadonlySet<string>): Batchability {
  for (const tensor of [...inputs, ...outputs]) {
    const why = whyNotOpen(tensor, inputs.includes(tensor));
    if (why !== undefined) return { kind: 'no', why, fixed: typeof tensor.shape[0] === 'number' };
  }
  const symbols = new Map<string, ServedTensor>();
  for (const input of inputs) {
    const [first] = input.shape;
    if (typeof first === 'string' && first !== '') symbols.set(first, input);
  }
  const [[symbol, owner] = [], [other, stranger] = []] = [...symbols];
  if (owner !== undefined && stranger !== undefined)
    return possible(`"${owner.name}" begins with ${symbol} and "${stranger.name}" with ${other}`);
  if (symbol !== undefined) {
    const elsewhere = inputs.find(({ shape }) => shape.slice(1).some((dim) => symbolsOf(dim).includes(symbol)));
    if (elsewhere) return possible(`${symbol} is also another dimension of "${elsewhere.name}"`);
    if (OTHER_THAN_BATCH.test(symbol)) return possible(`the first dimension is called ${symbol}`);
  }
  for (const { name, shape } of outputs) {
    if (proven.has(name) || (symbol !== undefined && shape[0] === symbol)) continue;
    return {
      kind: 'possible',
      why: `the first dimension of the output "${name}"${dimName(shape[0])} is not known to be that of the inputs`,
      unproven: true,
    };
  }
  return { kind: 'yes' };
}

function possible(why: string): Batchability {
  return { kind: 'possible', why };
}

function dimName(dim: Dim): string {
  return typeof dim === 'string' && dim !== '' ? ` (${dim})` : '';
}

/** Why the first dimension of a tensor is not an open one of its own. */
function whyNotOpen({ name, shape, typeText }: ServedTensor, isInput: boolean): string | undefined {
  const role = isInput ? 'input' : 'output';
  const [first] = shape;
  if (shape.length === 0) return `the ${role} "${name}" is a scalar`;
  if (typeof first === 'number') return `the first dimension of the ${role} "${name}" is always ${first} (${typeText})`;
  if (isInput && typeof first === 'string' && first !== '' && symbolsOf(first)[0] !== first)
    return `the first dimension of the input "${name}" is the expression ${first}`;
  return undefined;
}

/** How a model is batched, and what to say of it. */
export interface BatchChoice {
  /** 0 where the server must not stack requests. */
  readonly maxBatch: number;
  readonly notes: readonly string[];
}

/**
 * Chooses `max_batch_size`.
 * @throws SO3501 where a batch was asked for that the model cannot take, with the reason and what makes it possible
 */
export function chooseBatch(found: Batchability, wanted: number | undefined, modelName: string): BatchChoice {
  if (found.kind === 'yes') {
    if (wanted !== undefined) return { maxBatch: wanted, notes: [] };
    return {
      maxBatch: DEFAULT_MAX_BATCH,
      notes: [`Requests are batched up to ${DEFAULT_MAX_BATCH} rows: choose with --max-batch N, 0 for no batching.`],
    };
  }
  if (wanted === undefined || wanted === 0) {
    const how = found.kind === 'possible' ? ' If it is one batch nevertheless, give --max-batch N.' : '';
    return {
      maxBatch: 0,
      notes: wanted === 0 ? [] : [`Requests are not batched: ${found.why}.${how}`],
    };
  }
  if (found.kind === 'possible') {
    return {
      maxBatch: wanted,
      notes: [`Requests are batched because --max-batch says so: ${found.why}.`],
    };
  }
  throw new ServeOptError('SO3501', `The model cannot be batched (--max-batch ${wanted}): ${found.why}`, {
    why: 'the server stacks requests along the first dimension, which must be open in every input and output',
    hint: found.fixed
      ? `serve-opt optimize ${modelName} --dynamic batch opens it; or leave --max-batch out`
      : 'leave --max-batch out',
  });
}
