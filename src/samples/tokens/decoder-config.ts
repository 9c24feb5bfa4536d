import type { Dim } from '../../ir/type.js';
import { isJsonObject } from '../../json-object.js';
import type { ValueSpec } from '../types.js';
import type { TokenRole } from './token-role.js';

/** Name of the file that ONNX Runtime GenAI keeps beside the models of a folder. */
export const DECODER_CONFIG = 'genai_config.json';

/**
 * What a genai_config.json says of its decoder: plain data, which crosses between processes.
 * Source: "Config reference" of ONNX Runtime GenAI, section "Decoder model config".
 */
export interface DecoderConfig {
  /** Names of inputs that are not as exporters usually call them are taken from here. */
  readonly roles: Readonly<Record<string, TokenRole>>;
  /** Names of keys and values of positions before; `%d` stands for the number of the layer. */
  readonly pastNames: readonly string[];
  /** File of the decoder, relative to the folder. */
  readonly filename?: string;
  /** Heads of keys and values: `num_key_value_heads`, else `num_attention_heads`. */
  readonly heads?: number;
  /** `head_size`. */
  readonly headSize?: number;
  /** Most positions: `context_length`. */
  readonly contextLength?: number;
  /** Token that fills rows up: `pad_token_id`. */
  readonly padId?: number;
  /** Why the file could not be used: nothing else is known then. */
  readonly problem?: string;
}

/** Names of `decoder.inputs` and what they are. */
const ROLES: readonly (readonly [string, TokenRole])[] = [
  ['input_ids', 'ids'],
  ['attention_mask', 'mask'],
  ['position_ids', 'positions'],
  ['total_sequence_length', 'total'],
];
const PAST_NAMES = ['past_key_names', 'past_value_names', 'past_names'];

/** What the text of a genai_config.json says; a sentence where it is none. */
export function parseDecoderConfig(text: string): DecoderConfig | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return `it is not valid JSON (${(cause as Error).message.split('\n')[0]})`;
  }
  const model = isJsonObject(value) ? value.model : undefined;
  if (!isJsonObject(model)) return 'it has no "model"';
  const { decoder } = model;
  if (!isJsonObject(decoder)) return 'it has no "model.decoder"';
  const inputs = isJsonObject(decoder.inputs) ? decoder.inputs : {};
  const roles: Record<string, TokenRole> = {};
  for (const [key, role] of ROLES) {
    const name = inputs[key];
    if (typeof name === 'string') roles[name] = role;
  }
  const size = (key: string, one: unknown): Record<string, number> =>
    typeof one === 'number' && Number.isSafeInteger(one) && one > 0 ? { [key]: one } : {};
  const { pad_token_id: padId } = model;
  return {
    roles,
    pastNames: PAST_NAMES.map((key) => inputs[key]).filter((name) => typeof name === 'string'),
    ...(typeof decoder.filename === 'string' ? { filename: decoder.filename } : {}),
    ...size('heads', decoder.num_key_value_heads ?? decoder.num_attention_heads),
    ...size('headSize', decoder.head_size),
    ...size('contextLength', model.context_length),
    ...(typeof padId === 'number' && Number.isSafeInteger(padId) && padId >= 0 ? { padId } : {}),
  };
}

/** Inputs with what the configuration knows of them: which hold a past, how many heads it has, and how wide they are. */
export function withDecoderConfig(
  inputs: readonly ValueSpec[],
  config: DecoderConfig | undefined,
): readonly ValueSpec[] {
  if (!config) return inputs;
  return inputs.map((input) => (isPast(input, config) ? sizedPast(input, config) : input));
}

/** Whether an input holds keys or values of positions before, by its name. */
export function isPast({ name }: ValueSpec, { pastNames }: DecoderConfig): boolean {
  return pastNames.some((pattern) => {
    const [before = '', after] = pattern.split('%d');
    if (after === undefined) return name === pattern;
    return (
      name.startsWith(before) &&
      name.endsWith(after) &&
      /^\d+$/.test(name.slice(before.length, name.length - after.length))
    );
  });
}

/** Of the axes beside batch and positions the last is the size of a head, and the one before it the heads. */
function sizedPast(input: ValueSpec, { heads, headSize }: DecoderConfig): ValueSpec {
  const { shape } = input;
  if (!shape || shape.length < 4) return input;
  const positions = input.cacheAxis ?? shape.length - 2;
  const batch = shape.length - 4;
  const [headAxis, sizeAxis] = shape.map((_, axis) => axis).filter((axis) => axis > batch && axis !== positions);
  const sizes = new Map([
    [headAxis, heads],
    [sizeAxis, headSize],
  ]);
  const known = (dim: Dim, axis: number): Dim => (typeof dim === 'number' && dim > 0 ? dim : (sizes.get(axis) ?? dim));
  return { ...input, cacheAxis: positions, shape: shape.map(known) };
}
