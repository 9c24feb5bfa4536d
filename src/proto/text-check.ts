/** What a schema says of the fields of a text, each with its place: what the library reports without one. */
import { suggest } from '../suggest.js';
import { readScalar } from './scalar-text.js';
import { isScalar } from './schema.js';
import { fieldHomes } from './schema-search.js';
import type { DecodedText, TextProblem } from './text-problem.js';
import { enumSchema, type TextFieldSchema, type TextSchema, textMessage } from './text-schema.js';
import type { FieldNode, ValueNode } from './text-syntax.js';

/** A problem at an offset of the text. */
export interface OffsetProblem extends Omit<TextProblem, 'line' | 'column'> {
  readonly offset: number;
}

export interface CheckedText {
  readonly problems: readonly OffsetProblem[];
  readonly notices: readonly OffsetProblem[];
  /** Offsets by path. */
  readonly places: ReadonlyMap<string, number>;
  /** The text with what does not count blanked out. */
  readonly text: string;
}

/** Problems of one text: beyond, they are not looked for. */
const MAX_PROBLEMS = 50;

export function checkTextFields(
  schema: TextSchema,
  name: string,
  fields: readonly FieldNode[],
  decoded: DecodedText,
): CheckedText {
  const check = new TextCheck(schema, name, decoded);
  check.message(fields, name, '');
  const { problems, notices, places } = check;
  return { problems, notices, places, text: check.effectiveText() };
}

class TextCheck {
  readonly problems: OffsetProblem[] = [];
  readonly notices: OffsetProblem[] = [];
  readonly places = new Map<string, number>();
  private readonly blanks: FieldNode[] = [];

  private readonly schema: TextSchema;
  private readonly root: string;
  private readonly text: string;
  private readonly isDamaged: boolean;

  constructor(schema: TextSchema, root: string, { text, isDamaged }: DecodedText) {
    this.schema = schema;
    this.root = root;
    this.text = text;
    this.isDamaged = isDamaged;
  }

  message(nodes: readonly FieldNode[], type: string, path: string): void {
    const { fields, oneofs = {} } = textMessage(this.schema, type);
    const counts = new Map<string, number>();
    const set = new Map<string, FieldNode>();
    for (const node of nodes) {
      if (this.problems.length >= MAX_PROBLEMS) return;
      const field = Object.hasOwn(fields, node.name) ? fields[node.name] : undefined;
      const at = path === '' ? node.name : `${path}.${node.name}`;
      if (field === undefined) {
        this.unknownField(node, type, path);
        continue;
      }
      if (!this.places.has(at)) this.places.set(at, node.offset);
      const many = field.rule === 'repeated' || field.keyType !== undefined;
      if (!many) {
        const group = Object.values(oneofs).find(({ oneof }) => oneof.includes(node.name))?.oneof;
        this.once(node, set, group, field, at);
        set.set(node.name, node);
      }
      if (node.list && !many) {
        this.report(node.values[0]?.offset ?? node.offset, 'value', `${node.name} takes one value, not a list`, at);
        continue;
      }
      for (const value of node.values) {
        const index = counts.get(node.name) ?? 0;
        counts.set(node.name, index + 1);
        if (field.keyType !== undefined) this.mapEntry(value, field.keyType, field, at);
        else this.value(value, node, field, many ? `${at}[${index}]` : at);
      }
    }
  }

  /** The text as the library may take it: of a field twice, the first one with its default value is as if it were not there. */
  effectiveText(): string {
    if (this.blanks.length === 0) return this.text;
    const characters = [...this.blanks].sort((a, b) => a.offset - b.offset);
    let result = '';
    let from = 0;
    for (const { offset, end } of characters) {
      result += this.text.slice(from, offset) + this.text.slice(offset, end).replace(/[^\n]/g, ' ');
      from = end;
    }
    return result + this.text.slice(from);
  }

  /** Checks a field of which there may be one, and a member of a oneof (`group`). */
  private once(
    node: FieldNode,
    set: ReadonlyMap<string, FieldNode>,
    group: readonly string[] | undefined,
    field: TextFieldSchema,
    path: string,
  ): void {
    const earlier = set.get(node.name);
    if (earlier !== undefined) {
      // protobuf has no trace of a scalar with its default value, so that it may be there again.
      const trace = group !== undefined || !this.isDefault(earlier, field);
      if (trace) this.report(node.offset, 'twice', `${node.name} is set twice`, path);
      else this.blanks.push(earlier);
      return;
    }
    const rival = group?.find((other) => other !== node.name && set.has(other));
    if (rival !== undefined) {
      this.report(
        node.offset,
        'twice',
        `${node.name} is set beside ${rival}: only one of ${group?.join(', ')} may be set`,
        path,
      );
    }
  }

  private isDefault(node: FieldNode, field: TextFieldSchema): boolean {
    const [value] = node.values;
    if (value === undefined || value.fields !== undefined) return false;
    const text = this.text.slice(value.offset, value.end);
    const values = enumSchema(this.schema, field.type)?.values;
    if (values !== undefined) return values[text] === 0 || /^0+$/.test(text);
    if (!isScalar(field.type)) return false;
    const read = readScalar(field.type, text);
    return read.ok && (read.value === '' || read.value === 0 || read.value === false);
  }

  private value(value: ValueNode, node: FieldNode, field: TextFieldSchema, path: string): void {
    if (!this.places.has(path)) this.places.set(path, value.offset);
    this.checkValue(value, node.colon, field.type, node.name, path);
  }

  private checkValue(value: ValueNode, colon: boolean, type: string, name: string, path: string): void {
    const values = enumSchema(this.schema, type)?.values;
    if (values === undefined && !isScalar(type)) {
      if (value.fields === undefined) {
        this.report(value.offset, 'value', `${name} is a block: its fields stand in braces, ${name} { … }`, path);
      } else this.message(value.fields, type, path);
      return;
    }
    if (value.fields !== undefined) {
      this.report(value.offset, 'value', `${name} takes a value${values ? '' : ` of type ${type}`}, not a block`, path);
    } else if (!colon) this.report(value.offset, 'syntax', `There must be a colon after ${name}`, path);
    else if (values !== undefined) this.enumValue(value, values, name, path);
    else if (isScalar(type)) {
      const text = this.text.slice(value.offset, value.end);
      const read = readScalar(type, text);
      if (!read.ok) this.report(value.offset, 'value', `${name}: ${read.why}`, path);
      else this.notice(value.offset, name, text, read.value, path);
    }
  }

  /** What is allowed and probably not meant. */
  private notice(offset: number, name: string, text: string, value: unknown, path: string): void {
    if (/^-?0[0-7]*[1-7]/.test(text) && typeof value !== 'string') {
      const message = `${name} is ${value}: a number with a leading zero is octal`;
      this.notices.push({ offset, kind: 'octal', message, path });
    } else if (this.isDamaged && typeof value === 'string' && value.includes('\ufffd')) {
      this.notices.push({ offset, kind: 'bytes', message: `${name} has bytes that are not UTF-8`, path });
    }
  }

  private enumValue(value: ValueNode, values: Readonly<Record<string, number>>, name: string, path: string): void {
    const text = this.text.slice(value.offset, value.end);
    if (Object.hasOwn(values, text)) return;
    if (/^[-\d]/.test(text)) {
      const read = readScalar('int32', text);
      if (!read.ok) this.report(value.offset, 'value', `${name}: ${read.why}`, path);
      return;
    }
    const bare = text.replace(/^(["'])(.*)\1$/s, '$2');
    const known = Object.hasOwn(values, bare) ? bare : suggestValue(bare, Object.keys(values));
    const why = bare === text ? `${name} has no value ${shorten(text)}` : `${name} takes a name without quotes`;
    this.report(
      value.offset,
      'value',
      known === undefined ? `${why}: it is one of ${Object.keys(values).join(', ')}` : why,
      path,
      known,
    );
  }

  private mapEntry(entry: ValueNode, keyType: 'string' | 'uint64', field: TextFieldSchema, path: string): void {
    if (entry.fields === undefined) {
      this.report(entry.offset, 'value', 'An entry of a map is written { key: … value: … }', path);
      return;
    }
    const parts = new Map<string, FieldNode>();
    for (const part of entry.fields) {
      if (part.name !== 'key' && part.name !== 'value') {
        this.report(
          part.offset,
          'field',
          `An entry of a map has no field ${shorten(part.name)}, only key and value`,
          path,
        );
      } else if (parts.has(part.name)) this.report(part.offset, 'twice', `${part.name} is set twice`, path);
      else if (part.list) this.report(part.offset, 'value', `${part.name} takes one value, not a list`, path);
      parts.set(part.name, part);
    }
    const key = parts.get('key');
    const [keyValue] = key?.values ?? [];
    let shown = keyType === 'string' ? '""' : '0';
    if (key !== undefined && keyValue !== undefined) {
      this.checkValue(keyValue, key.colon, keyType, 'key', path);
      const read = readScalar(keyType, this.text.slice(keyValue.offset, keyValue.end));
      if (read.ok) shown = keyType === 'string' ? JSON.stringify(read.value) : String(read.value);
    }
    const at = `${path}[${shown}]`;
    if (this.places.has(at)) {
      const message = `The key ${shorten(shown)} is there twice, and the earlier entry is lost`;
      this.notices.push({ offset: entry.offset, kind: 'key', message, path: at });
    }
    this.places.set(at, entry.offset);
    const value = parts.get('value');
    const [inner] = value?.values ?? [];
    if (value !== undefined && inner !== undefined) this.checkValue(inner, value.colon, field.type, 'value', at);
  }

  private unknownField(node: FieldNode, type: string, path: string): void {
    const names = Object.keys(textMessage(this.schema, type).fields);
    const place = path === '' ? 'A model configuration' : path.replace(/\[[^\]]*\]$/, '');
    const homes = fieldHomes(this.schema, this.root, node.name);
    const near = suggest(node.name, names);
    const elsewhere = homes.length > 0 && near === undefined ? `; ${node.name} is a field of ${homes.join(', ')}` : '';
    this.report(
      node.offset,
      'field',
      `${path === '' ? `${place}` : place} has no field ${shorten(node.name)}${elsewhere}`,
      path === '' ? node.name : `${path}.${node.name}`,
      near,
    );
  }

  private report(offset: number, kind: TextProblem['kind'], message: string, path: string, suggestion?: string): void {
    this.problems.push({ offset, kind, message, path, ...(suggestion === undefined ? {} : { suggestion }) });
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Names of types in other tools, by what Triton's end in. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  FLOAT: 'FP32',
  FLOAT16: 'FP16',
  HALF: 'FP16',
  FLOAT32: 'FP32',
  FLOAT64: 'FP64',
  DOUBLE: 'FP64',
  BFLOAT16: 'BF16',
  BYTES: 'STRING',
  INT: 'INT32',
  LONG: 'INT64',
  BOOLEAN: 'BOOL',
};

/** The name that was meant: with its prefix left out, in other case, of another tool, or mistyped. */
function suggestValue(typed: string, names: readonly string[]): string | undefined {
  const wanted = typed.toUpperCase().replace(/^(TYPE|KIND|FORMAT|PRIORITY)_/, '');
  const other = OTHER_NAMES[wanted] ?? wanted;
  return names.find((name) => name.endsWith(`_${other}`)) ?? suggest(typed, names);
}
