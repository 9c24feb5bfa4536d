import type { AttributeKind } from '../ir/attribute.js';
import table from './schemas.generated.json' with { type: 'json' };

/** A formal input or output of an operator. */
export interface SchemaParameter {
  readonly name: string;
  /** A type such as `tensor(float)`, or the name of a type variable of the schema. */
  readonly type: string;
  /** A variadic parameter is the last one and stands for all further positions. */
  readonly option: 'required' | 'optional' | 'variadic';
  /** For a variadic one: whether all of its values have one type. */
  readonly homogeneous: boolean;
  /** For a variadic one: how many values there must be at least. */
  readonly minArity: number;
}

export interface SchemaAttribute {
  readonly name: string;
  readonly kind: AttributeKind;
  readonly required: boolean;
  /** The value an absent attribute has, where it is a number, a string or a list of these. */
  readonly default: number | string | readonly (number | string)[] | undefined;
}

/** One version of an operator, as the ONNX specification (or ONNX Runtime, for com.microsoft) defines it. */
export interface OpSchema {
  readonly domain: string;
  readonly opType: string;
  /** The operator set version that brought this version. */
  readonly sinceVersion: number;
  readonly deprecated: boolean;
  /** `subgraph`: as deterministic as the nodes inside (If, Loop, Scan, SequenceMap). */
  readonly determinism: 'deterministic' | 'nondeterministic' | 'subgraph';
  readonly inputs: readonly SchemaParameter[];
  readonly outputs: readonly SchemaParameter[];
  /** Type variable → the types it may stand for. */
  readonly typeConstraints: ReadonlyMap<string, readonly string[]>;
  readonly attributes: ReadonlyMap<string, SchemaAttribute>;
}

interface VersionLine {
  readonly sinceVersion: number;
  readonly line: string;
  schema: OpSchema | undefined;
}

const index: ReadonlyMap<string, ReadonlyMap<string, readonly VersionLine[]>> = buildIndex();

function buildIndex(): Map<string, Map<string, VersionLine[]>> {
  const domains = new Map<string, Map<string, VersionLine[]>>();
  for (const { domain, ops } of table.domains) {
    const byName = new Map<string, VersionLine[]>();
    for (const line of ops) {
      const nameEnd = line.indexOf('|');
      const name = line.slice(0, nameEnd);
      const sinceVersion = Number.parseInt(line.slice(nameEnd + 1), 10);
      const versions = byName.get(name);
      const entry: VersionLine = { sinceVersion, line, schema: undefined };
      if (versions) versions.push(entry);
      else byName.set(name, [entry]);
    }
    domains.set(domain, byName);
  }
  return domains;
}

/**
 * The schema of an operator at an operator set version: the one with the greatest `sinceVersion` not above it, so a
 * version newer than the table gets the newest known. Undefined for an unknown domain or operator, and for a version
 * before the operator existed.
 */
export function opSchema(domain: string, opType: string, opsetVersion: number): OpSchema | undefined {
  const versions = index.get(domain)?.get(opType);
  if (!versions) return undefined;
  for (let i = versions.length - 1; i >= 0; i--) {
    const entry = versions[i];
    if (!entry || entry.sinceVersion > opsetVersion) continue;
    entry.schema ??= parseLine(domain, entry.line);
    return entry.schema;
  }
  return undefined;
}

/** Every operator name of a domain, sorted; empty for an unknown domain. */
export function opNames(domain: string): string[] {
  return [...(index.get(domain)?.keys() ?? [])];
}

/** Every version of an operator, oldest first, as operator set versions. */
export function opVersions(domain: string, opType: string): number[] {
  return (index.get(domain)?.get(opType) ?? []).map((entry) => entry.sinceVersion);
}

/** The newest operator set version of a domain that changed an operator; 0 for an unknown domain. */
export function newestVersion(domain: string): number {
  let newest = 0;
  for (const versions of index.get(domain)?.values() ?? [])
    newest = Math.max(newest, versions.at(-1)?.sinceVersion ?? 0);
  return newest;
}

/** The formal input at a position (the variadic one for all further positions), or undefined beyond the last. */
export function inputParameter(schema: OpSchema, slot: number): SchemaParameter | undefined {
  return parameterAt(schema.inputs, slot);
}

/** The formal output at a position, like `inputParameter`. */
export function outputParameter(schema: OpSchema, index: number): SchemaParameter | undefined {
  return parameterAt(schema.outputs, index);
}

/** Least and greatest number of inputs; `max` is Infinity for a variadic operator. */
export function inputArity(schema: OpSchema): { readonly min: number; readonly max: number } {
  return arity(schema.inputs);
}

/** Least and greatest number of outputs, like `inputArity`. */
export function outputArity(schema: OpSchema): { readonly min: number; readonly max: number } {
  return arity(schema.outputs);
}

function arity(parameters: readonly SchemaParameter[]): { min: number; max: number } {
  let min = 0;
  parameters.forEach((parameter, at) => {
    if (parameter.option === 'required') min = at + 1;
    else if (parameter.option === 'variadic' && parameter.minArity > 0) min = at + parameter.minArity;
  });
  const variadic = parameters.at(-1)?.option === 'variadic';
  return { min, max: variadic ? Number.POSITIVE_INFINITY : parameters.length };
}

function parameterAt(parameters: readonly SchemaParameter[], at: number): SchemaParameter | undefined {
  const found = parameters[at];
  if (found) return found;
  const last = parameters.at(-1);
  return last?.option === 'variadic' ? last : undefined;
}

/** One line of the table; scripts/gen-op-schemas.py describes the syntax. */
function parseLine(domain: string, line: string): OpSchema {
  const [opType = '', since = '', flags = '', inputs = '', outputs = '', constraints = '', attributes = ''] =
    line.split('|');
  return {
    domain,
    opType,
    sinceVersion: Number(since),
    deprecated: flags.includes('D'),
    determinism: flags.includes('N') ? 'nondeterministic' : flags.includes('S') ? 'subgraph' : 'deterministic',
    inputs: parts(inputs).map(parseParameter),
    outputs: parts(outputs).map(parseParameter),
    typeConstraints: new Map(parts(constraints).map(parseConstraint)),
    attributes: new Map(parts(attributes).map((text) => [text.slice(0, text.indexOf(':')), parseAttribute(text)])),
  };
}

function parts(field: string): string[] {
  return field === '' ? [] : field.split(';');
}

function parseParameter(text: string): SchemaParameter {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const variadic = /^(.*)([*%])(\d+)$/.exec(rest);
  if (variadic) {
    const [, type = '', mark, count] = variadic;
    return { name, type, option: 'variadic', homogeneous: mark === '*', minArity: Number(count) };
  }
  const optional = rest.endsWith('?');
  const type = optional ? rest.slice(0, -1) : rest;
  return { name, type, option: optional ? 'optional' : 'required', homogeneous: true, minArity: 1 };
}

function parseConstraint(text: string): [string, readonly string[]] {
  const equals = text.indexOf('=');
  const types = table.typeSets[Number(text.slice(equals + 1))] ?? '';
  // `map(int64, float)` holds a space of its own.
  return [text.slice(0, equals), types.split(/(?<!,) /)];
}

function parseAttribute(text: string): SchemaAttribute {
  const [, name = '', kind = '', required, json] = /^(\w+):(\w+)(!?)(?:=(.*))?$/s.exec(text) ?? [];
  return {
    name,
    kind: kind as AttributeKind,
    required: required === '!',
    default: json === undefined ? undefined : (JSON.parse(json) as SchemaAttribute['default']),
  };
}
