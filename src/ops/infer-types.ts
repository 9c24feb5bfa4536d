import type { Model } from '../ir/model.js';
import { formatType, sameType, type ValueType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import { symbolsOf } from './dim.js';
import type { Elements } from './infer/elements.js';
import { InferenceEngine, type InferenceProblem, Scope } from './infer/engine.js';
import { cleanType, keepDeclared } from './infer/merge.js';

export type { Elements } from './infer/elements.js';
export type { InferenceProblem } from './infer/engine.js';

/** What `inferTypes` found besides the types. */
export interface InferenceReport {
  /** Contradictions; nothing is refused for them here. */
  readonly problems: readonly InferenceProblem[];
  /** Operators with neither schema nor local function, as `domain::opType`, sorted: their outputs keep declared types. */
  readonly unknownOps: readonly string[];
  /** Known elements of small integer and float tensors of the main graph and its subgraphs, symbolic sizes included. */
  readonly elements: ReadonlyMap<Value, Elements>;
}

/** Where a value keeps the type its file declared once inference has put a better one in place. */
const META_KEY = 'ops:declared-type';

interface DeclaredNote {
  readonly declared: ValueType | undefined;
  readonly inferred: ValueType | undefined;
}

/**
 * Finds element types and shapes of every value, in subgraphs and in bodies of called local functions too, and records
 * them with `value.inferType` (no change to the file). Starts from the declared types of graph inputs; a dimension is
 * a number, an expression of the model's own symbols (and of `x.dim0` for an unnamed dimension 0 of input `x`), or
 * undefined when it cannot be known. Types of model inputs and outputs stay as declared; outputs get sizes that are
 * numbers where the file says nothing. Running it again after edits starts anew from what the file declared.
 * Never throws for an ill-formed graph: contradictions are reported, and ONNX Runtime decides.
 */
export function inferTypes(model: Model): InferenceReport {
  const engine = new InferenceEngine(model, { declaredType });
  const scope = new Scope(model.opsets, new Map(), 0);
  const inputs = namedInputTypes(model);
  engine.inferGraph(
    scope,
    model.graph,
    model.graph.inputs.map((value) => inputs.get(value)),
  );
  const outputs = new Set(model.graph.outputs);
  for (const graph of walkGraphs(model.graph)) {
    for (const value of graph.values.values()) {
      const declared = declaredType(value);
      // The interface is the file's: its own unknowns stay unknown.
      if (inputs.has(value) && declared) continue;
      const found = scope.types.get(value);
      record(value, declared, outputs.has(value) ? keepDeclared(found, declared, () => undefined) : found);
    }
  }
  for (const [value, type] of engine.functionTypes) record(value, declaredType(value), type);
  const elements = new Map<Value, Elements>();
  for (const [value, known] of scope.elements) if (known) elements.set(value, known);
  return { problems: engine.problems, unknownOps: [...engine.unknownOps].sort(), elements };
}

/**
 * The types of the model inputs, each unknown dimension under a name of its own, such as `x.dim0`: so the same size is
 * known to be the same wherever it goes, and costs can be asked for by its name.
 */
function namedInputTypes(model: Model): Map<Value, ValueType | undefined> {
  const types = new Map<Value, ValueType | undefined>();
  const taken = new Set<string>();
  for (const value of model.graph.inputs) {
    const type = declaredType(value);
    types.set(value, type);
    if (type?.kind === 'tensor') for (const dim of type.shape ?? []) for (const name of symbolsOf(dim)) taken.add(name);
  }
  for (const [value, type] of types) {
    if (type?.kind !== 'tensor' || !type.shape?.includes(undefined)) continue;
    const shape = type.shape.map((dim, axis) => {
      if (dim !== undefined) return dim;
      let name = openDimName(value.name, axis);
      while (taken.has(name)) name += '_';
      taken.add(name);
      return name;
    });
    types.set(value, { kind: 'tensor', dataType: type.dataType, shape });
  }
  return types;
}

/** What inference calls an unnamed dimension of a graph input, where no symbol of the model is called so: `x.dim0`. */
export function openDimName(input: string, axis: number): string {
  return `${input.replace(/[^\w.]/g, '_').replace(/^\d/, '_$&')}.dim${axis}`;
}

/** The type a value had before inference: what the file or a pass stated. */
export function declaredType(value: Value): ValueType | undefined {
  const note = value.meta.get(META_KEY) as DeclaredNote | undefined;
  return cleanType(note && note.inferred === value.type ? note.declared : value.type);
}

function record(value: Value, declared: ValueType | undefined, found: ValueType | undefined): void {
  const type = isStated(found) ? found : declared;
  if (type === value.type || (value.type && sameType(type, value.type) && declared === value.type)) return;
  value.meta.set(META_KEY, { declared, inferred: type } satisfies DeclaredNote);
  value.inferType(type);
}

/** A shape alone, with the element type unknown, is of no use to anyone who reads `value.type`. */
function isStated(type: ValueType | undefined): boolean {
  if (!type) return false;
  if (type.kind === 'tensor' || type.kind === 'sparse_tensor') return type.dataType !== DataType.UNDEFINED;
  return formatType(type) !== '?';
}
