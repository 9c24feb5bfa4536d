import type { Model } from '../ir/model.js';
import { formatType, sameType, type ValueType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { walkGraphs } from '../ir/walk.js';
import { DataType } from '../tensor/dtype.js';
import type { Elements } from './infer/elements.js';
import { InferenceEngine, type InferenceProblem, Scope } from './infer/engine.js';
import { keepDeclared, withoutNegativeDims } from './infer/merge.js';

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
 * a number, an expression of the model's own symbols, or undefined when it cannot be known. Types of model outputs stay
 * as declared, with gaps filled. Running it again after edits starts anew from what the file declared.
 * Never throws for an ill-formed graph: contradictions are reported, and ONNX Runtime decides.
 */
export function inferTypes(model: Model): InferenceReport {
  const engine = new InferenceEngine(model, { declaredType });
  const scope = new Scope(model.opsets, new Map(), 0);
  engine.inferGraph(scope, model.graph);
  const outputs = new Set(model.graph.outputs);
  for (const graph of walkGraphs(model.graph)) {
    for (const value of graph.values.values()) {
      const found = scope.types.get(value);
      const declared = declaredType(value);
      record(value, declared, outputs.has(value) ? keepDeclared(found, declared, () => undefined) : found);
    }
  }
  for (const [value, type] of engine.functionTypes) record(value, declaredType(value), type);
  const elements = new Map<Value, Elements>();
  for (const [value, known] of scope.elements) if (known) elements.set(value, known);
  return { problems: engine.problems, unknownOps: [...engine.unknownOps].sort(), elements };
}

/** The type a value had before inference: what the file or a pass stated. */
function declaredType(value: Value): ValueType | undefined {
  const note = value.meta.get(META_KEY) as DeclaredNote | undefined;
  return withoutNegativeDims(note && note.inferred === value.type ? note.declared : value.type);
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
