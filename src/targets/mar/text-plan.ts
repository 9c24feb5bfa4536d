import { ServeOptError } from '../../errors.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { MarFacts } from './mar-facts.js';
import type { TextOptions } from './mar-options.js';

/** What a tokenizer gives for each input, by the names that exporters use. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['input_ids', 'ids'],
  ['ids', 'ids'],
  ['attention_mask', 'attention_mask'],
  ['mask', 'attention_mask'],
  ['token_type_ids', 'type_ids'],
  ['segment_ids', 'type_ids'],
  ['type_ids', 'type_ids'],
]);

/** How texts become inputs, complete. */
export interface TextPlan {
  /** Name of the tokenizer's file in the archive. */
  readonly file: string;
  readonly vocabulary: boolean;
  /** Tokens after which a text is cut. */
  readonly maxLength: number;
  /** The length that every text is padded to, where the inputs are fixed; null where they are open. */
  readonly length: number | null;
  /** Attribute of an encoding, by input. */
  readonly fields: Readonly<Record<string, string>>;
  /** Input that is the attention mask; null where there is none. */
  readonly mask: string | null;
  /** Texts of different lengths may be padded to run together: the model has a mask, and no output has their length. */
  readonly pads: boolean;
  readonly lowercase: boolean;
}

/** What a tokenizer file says of itself. */
export interface TokenizerFacts {
  readonly vocabulary: boolean;
  /** From its own truncation. */
  readonly maxLength?: number;
  /** A vocabulary without capital letters is for texts in lower case. */
  readonly lowercase: boolean;
}

/** Where neither the model, the tokenizer nor the user gives a length. */
const DEFAULT_LENGTH = 512;

/**
 * @throws SO3501 where the inputs are not those of a text model, SO1006 for a length that contradicts the input
 */
export function textPlan(facts: MarFacts, options: TextOptions, tokenizer: TokenizerFacts): TextPlan {
  const fields: Record<string, string> = {};
  for (const input of facts.inputs) {
    const field = FIELDS.get(input.name);
    if (field === undefined) throw noText(`a tokenizer gives nothing for the input "${input.name}"`);
    if (input.dataType !== DataType.INT64 && input.dataType !== DataType.INT32) {
      throw noText(`the input "${input.name}" is ${input.typeText}, not of whole numbers`);
    }
    if (input.shape?.length !== 2) throw noText(`the input "${input.name}" is ${input.typeText}, not of rank 2`);
    fields[input.name] = field;
  }
  if (!Object.values(fields).includes('ids')) throw noText('it has no input "input_ids"');
  const mask = facts.inputs.find(({ name }) => fields[name] === 'attention_mask')?.name ?? null;
  const length = fixedLength(facts.inputs);
  if (length !== null && options.maxLength !== undefined && options.maxLength > length) {
    throw new ServeOptError('SO1006', `The value ${options.maxLength} of --max-length does not fit the model`, {
      why: `its inputs have a length of ${length} tokens`,
    });
  }
  return {
    file: tokenizer.vocabulary ? 'vocab.txt' : 'tokenizer.json',
    vocabulary: tokenizer.vocabulary,
    maxLength: options.maxLength ?? length ?? tokenizer.maxLength ?? DEFAULT_LENGTH,
    length,
    fields,
    mask,
    pads: mask !== null && length === null && facts.outputs.every(hasFixedRows),
    lowercase: tokenizer.lowercase,
  };
}

function fixedLength(inputs: readonly ValueSpec[]): number | null {
  for (const { shape } of inputs) if (typeof shape?.[1] === 'number') return shape[1];
  return null;
}

/** Nothing but the batch is open. */
function hasFixedRows({ shape }: ValueSpec): boolean {
  return shape?.slice(1).every((dim) => typeof dim === 'number') ?? false;
}

function noText(why: string): ServeOptError {
  return new ServeOptError('SO3501', 'The model does not take tokens of a text', {
    why,
    hint: 'use --preprocess json, and tokenize where requests are made',
  });
}
