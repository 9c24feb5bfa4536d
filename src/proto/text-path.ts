/** Fields by path, `dynamic_batching.preferred_batch_size`, `input[0].dims`, `parameters["key"].string_value`. */
import { suggest } from '../suggest.js';
import { readScalar, writeScalar } from './scalar-text.js';
import { isScalar } from './schema.js';
import { fieldHomes } from './schema-search.js';
import { parseText } from './text-format.js';
import {
  type AnyMessage,
  isMessageType,
  type TextFieldSchema,
  type TextMessageOf,
  type TextSchema,
  textMessage,
} from './text-schema.js';
import { parseTextTree } from './text-syntax.js';

/** One field on a path, with the element or the map key that is meant. */
export interface PathStep {
  readonly name: string;
  /** The message that has the field. */
  readonly owner: string;
  readonly field: TextFieldSchema;
  readonly index?: number;
  readonly key?: string;
}

export type FoundPath =
  | { readonly ok: true; readonly steps: readonly PathStep[] }
  | { readonly ok: false; readonly why: string; readonly suggestion?: string };

const STEP = /\.?([A-Za-z_]\w*)(?:\[(?:(\d+)|"((?:[^"\\]|\\.)*)"|([^\]"]*))\])?/y;

/** Finds the fields of a path. Keys of maps stand in brackets, with or without quotes. */
export function findTextPath(schema: TextSchema, root: string, path: string): FoundPath {
  const steps: PathStep[] = [];
  let owner = root;
  STEP.lastIndex = 0;
  for (let from = 0; from < path.length || steps.length === 0; from = STEP.lastIndex) {
    STEP.lastIndex = from;
    const match = STEP.exec(path);
    if (match === null || from > 0 !== match[0].startsWith('.')) {
      return { ok: false, why: `"${path}" is not a path of fields, such as dynamic_batching.preferred_batch_size` };
    }
    const [, name = '', index, quoted, bare] = match;
    const last = steps.at(-1);
    if (last !== undefined) {
      if (!isMessageType(schema, last.field.type)) {
        return { ok: false, why: `${last.name} takes a value and has no field ${name}` };
      }
      owner = last.field.type;
    }
    const { fields } = textMessage(schema, owner);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) return unknownField(schema, root, owner, name, steps);
    const bracket = index ?? quoted ?? bare;
    if (bracket === undefined) steps.push({ name, owner, field });
    else if (field.keyType !== undefined) {
      const key = quoted === undefined ? bracket : String(JSON.parse(`"${quoted}"`));
      steps.push({ name, owner, field, key });
    } else if (field.rule === 'repeated' && index !== undefined)
      steps.push({ name, owner, field, index: Number(index) });
    else return { ok: false, why: field.rule ? `${name} takes a number in brackets` : `${name} is not a list` };
  }
  return { ok: true, steps };
}

function unknownField(
  schema: TextSchema,
  root: string,
  owner: string,
  name: string,
  before: readonly PathStep[],
): FoundPath {
  const place = before.length === 0 ? 'A model configuration' : before.map((step) => step.name).join('.');
  const near = suggest(name, Object.keys(textMessage(schema, owner).fields));
  const homes = near === undefined ? fieldHomes(schema, root, name) : [];
  const elsewhere = homes.length === 0 ? '' : `; ${name} is a field of ${homes.join(', ')}`;
  return {
    ok: false,
    why: `${place} has no field ${name}${elsewhere}`,
    ...(near === undefined ? {} : { suggestion: near }),
  };
}

export type SetField<M> =
  | { readonly ok: true; readonly message: M }
  | { readonly ok: false; readonly why: string; readonly suggestion?: string };

/**
 * Sets a field of a message to a value that stands in a text: `32`, `KIND_GPU`, `[4, 8]` or `4,8` for a list,
 * `{ enable: true }` for a block, a text with or without quotes. Messages on the path are made where they are absent, and an
 * index at the end of a list adds an element. The message given stays as it is.
 */
export function setTextField<S extends TextSchema, N extends keyof S & string>(
  schema: S,
  root: N,
  message: TextMessageOf<S, N>,
  path: string,
  value: string,
): SetField<TextMessageOf<S, N>> {
  const found = findTextPath(schema, root, path);
  if (!found.ok) return found;
  const last = found.steps.at(-1);
  if (last === undefined) return { ok: false, why: 'The path is empty' };
  const read = readValue(schema, last, value);
  if (!read.ok) return read;
  try {
    const set = setAt(schema, message as AnyMessage, found.steps, read.value);
    return { ok: true, message: set as TextMessageOf<S, N> };
  } catch (error) {
    if (error instanceof PathError) return { ok: false, why: error.message };
    throw error;
  }
}

class PathError extends Error {}

type ReadValue = { ok: true; value: unknown } | { ok: false; why: string; suggestion?: string };

/** Reads a value as that of a field of its own, so that types and names are checked as in a text. */
function readValue(schema: TextSchema, { name, owner, field, index, key }: PathStep, value: string): ReadValue {
  const one = index !== undefined || key !== undefined;
  if (field.keyType !== undefined && key === undefined) {
    return { ok: false, why: `${name} is a map: give the key in brackets, ${name}[KEY]` };
  }
  const trimmed = value.trim();
  const quote = (text: string): string =>
    field.type === 'string' && !readScalar('string', text).ok ? writeScalar('string', text) : text;
  let text: string;
  if (field.rule === 'repeated' && !one) {
    const inner =
      isScalar(field.type) || !isMessageType(schema, field.type) ? trimmed.replace(/^\[(.*)\]$/s, '$1') : trimmed;
    const parts =
      field.type === 'string' && !/["']/.test(inner) ? inner.split(',').map((part) => part.trim()) : [inner];
    text = trimmed.startsWith('[') && inner === trimmed ? trimmed : `[${parts.map(quote).join(', ')}]`;
  } else text = quote(field.type === 'string' ? value : trimmed);
  const whole =
    field.keyType === undefined ? `${name}: ${text}` : `${name} { key: ${keyText(field, key)} value: ${text} }`;
  const parsed = parseText(schema, owner, whole);
  if (!parsed.ok) {
    const [problem] = parsed.problems;
    const suggestion = problem?.suggestion;
    return { ok: false, why: problem?.message ?? '', ...(suggestion === undefined ? {} : { suggestion }) };
  }
  if (parseTextTree(whole).length !== 1) return { ok: false, why: `${name} takes one value, not ${trimmed}` };
  const read = (parsed.message as AnyMessage)[name];
  if (field.keyType !== undefined) return { ok: true, value: [...(read as ReadonlyMap<unknown, unknown>).values()][0] };
  if (index !== undefined) return { ok: true, value: (read as readonly unknown[])[0] };
  return { ok: true, value: read ?? [] };
}

function keyText({ keyType }: TextFieldSchema, key = ''): string {
  return keyType === 'uint64' ? key : writeScalar('string', key);
}

function setAt(schema: TextSchema, message: AnyMessage, steps: readonly PathStep[], value: unknown): AnyMessage {
  const [step, ...rest] = steps;
  if (step === undefined) return message;
  const { name, field, index, key, owner } = step;
  const group = Object.values(textMessage(schema, owner).oneofs ?? {}).find(({ oneof }) => oneof.includes(name))?.oneof;
  const rival = group?.find((other) => other !== name && message[other] !== undefined);
  if (rival !== undefined) throw new PathError(`${rival} is set: only one of ${group?.join(', ')} may be set`);
  const inner = (old: unknown): unknown =>
    rest.length === 0 ? value : setAt(schema, (old ?? {}) as AnyMessage, rest, value);
  const old = message[name];
  if (field.keyType !== undefined) {
    if (key === undefined) throw new PathError(`${name} is a map: give the key in brackets, ${name}[KEY]`);
    const entries = new Map(old as ReadonlyMap<unknown, unknown> | undefined);
    const mapKey = field.keyType === 'uint64' ? Number(key) : key;
    return { ...message, [name]: entries.set(mapKey, inner(entries.get(mapKey))) };
  }
  if (field.rule !== 'repeated' || (index === undefined && rest.length === 0))
    return { ...message, [name]: inner(old) };
  const list = [...((old ?? []) as readonly unknown[])];
  if (index === undefined && list.length > 1)
    throw new PathError(`${name} has ${list.length} elements: give one, ${name}[0]`);
  const at = index ?? 0;
  if (at > list.length) throw new PathError(`${name} has ${list.length} elements, so that there is no ${name}[${at}]`);
  list[at] = inner(list[at]);
  return { ...message, [name]: list };
}
