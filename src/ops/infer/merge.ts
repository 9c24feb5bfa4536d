import type { Dim, Shape, TensorType, ValueType } from '../../ir/type.js';
import { formatType } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';

/** What two statements about a value disagree on. A file's shapes may be stale, its types must not be. */
export type Conflict = 'type' | 'shape';

/** Called when two statements about one value contradict each other. */
export type OnConflict = (reason: string, conflict: Conflict) => void;

function isTensor(type: ValueType): type is TensorType {
  return type.kind === 'tensor' || type.kind === 'sparse_tensor';
}

/**
 * What is known of a value of which inference says `inferred` and the file says `declared`. Where both know something
 * the inferred one stays (a file's value_info may be stale) and a contradiction is reported; gaps come from the other.
 */
export function mergeTypes(
  inferred: ValueType | undefined,
  declared: ValueType | undefined,
  onConflict: OnConflict,
): ValueType | undefined {
  if (!inferred || inferred === declared) return inferred ?? declared;
  if (!declared) return inferred;
  if (isTensor(inferred) && isTensor(declared) && inferred.kind === declared.kind) {
    const dataType = inferred.dataType === DataType.UNDEFINED ? declared.dataType : inferred.dataType;
    const reason = `declared as ${formatType(declared)}, but computed as ${formatType(inferred)}`;
    const differs = declared.dataType !== DataType.UNDEFINED && declared.dataType !== dataType;
    if (differs) onConflict(reason, 'type');
    const shape = mergeShapes(inferred.shape, declared.shape, () => onConflict(reason, differs ? 'type' : 'shape'));
    return { kind: inferred.kind, dataType, shape };
  }
  if (
    (inferred.kind === 'sequence' || inferred.kind === 'optional') &&
    inferred.kind === declared.kind &&
    'element' in declared
  ) {
    return { kind: inferred.kind, element: mergeTypes(inferred.element, declared.element, onConflict) };
  }
  if (inferred.kind === 'map' && declared.kind === 'map') {
    if (inferred.keyType !== declared.keyType) onConflict(`declared as ${formatType(declared)}`, 'type');
    return {
      kind: 'map',
      keyType: inferred.keyType,
      valueType: mergeTypes(inferred.valueType, declared.valueType, onConflict),
    };
  }
  if (inferred.kind !== declared.kind)
    onConflict(`declared as ${formatType(declared)}, but computed as ${formatType(inferred)}`, 'type');
  return inferred;
}

function mergeShapes(inferred: Shape, declared: Shape, onConflict: () => void): Shape {
  if (!inferred) return declared;
  if (!declared) return inferred;
  if (inferred.length !== declared.length) {
    onConflict();
    return inferred;
  }
  let conflict = false;
  const merged = inferred.map((dim, axis) => {
    const other = declared[axis];
    if (typeof dim === 'number' && typeof other === 'number' && dim !== other) conflict = true;
    return dim ?? other;
  });
  if (conflict) onConflict();
  return merged;
}

/** For an output of the model: what the file declares stays, inference fills the gaps only. */
export function keepDeclared(
  inferred: ValueType | undefined,
  declared: ValueType | undefined,
  onConflict: OnConflict,
): ValueType | undefined {
  if (!declared || !inferred || !isTensor(inferred) || !isTensor(declared) || inferred.kind !== declared.kind)
    return declared ?? inferred;
  mergeTypes(inferred, declared, onConflict);
  const shape =
    declared.shape && inferred.shape && declared.shape.length === inferred.shape.length
      ? declared.shape.map((dim, axis) => dim ?? onlyNumber(inferred.shape?.[axis]))
      : (declared.shape ?? inferred.shape);
  const dataType = declared.dataType === DataType.UNDEFINED ? inferred.dataType : declared.dataType;
  return { kind: declared.kind, dataType, shape };
}

/** A gap in the interface is not filled with a symbol: that would make the sizes of two outputs equal by name. */
function onlyNumber(dim: Dim): Dim {
  return typeof dim === 'number' ? dim : undefined;
}

/** What holds for both: a value that is one or the other (branches of If, iterations of Loop, calls of a function). */
export function joinTypes(a: ValueType | undefined, b: ValueType | undefined): ValueType | undefined {
  if (!a || !b || a === b) return a === b ? a : undefined;
  if (isTensor(a) && isTensor(b) && a.kind === b.kind) {
    if (a.dataType !== b.dataType) return undefined;
    return { kind: a.kind, dataType: a.dataType, shape: joinShapes(a.shape, b.shape) };
  }
  if ((a.kind === 'sequence' || a.kind === 'optional') && a.kind === b.kind && 'element' in b)
    return { kind: a.kind, element: joinTypes(a.element, b.element) };
  if (a.kind === 'map' && b.kind === 'map' && a.keyType === b.keyType)
    return { kind: 'map', keyType: a.keyType, valueType: joinTypes(a.valueType, b.valueType) };
  return undefined;
}

export function joinShapes(a: Shape, b: Shape): Shape {
  if (!a || !b || a.length !== b.length) return undefined;
  return a.map((dim, axis) => (dim === b[axis] ? dim : undefined));
}

/** One dimension that two shapes must agree on: the number where one has it. `onConflict` when two numbers differ. */
export function unifyDims(a: Dim, b: Dim, onConflict: () => void): Dim {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  if (typeof a === 'number' && typeof b === 'number') onConflict();
  return typeof a === 'number' ? a : typeof b === 'number' ? b : a;
}

/** What some exporters write where they mean "unknown"; two such dimensions need not be equal. */
const NAMES_OF_UNKNOWN: ReadonlySet<Dim> = new Set(['', '?', '-1', 'None']);

function isUnknown(dim: Dim): boolean {
  return typeof dim === 'number' ? dim < 0 : NAMES_OF_UNKNOWN.has(dim);
}

/** The same type with sizes below 0, and names that say "unknown", left open. */
export function cleanType(type: ValueType | undefined): ValueType | undefined {
  if (!type) return type;
  if (isTensor(type)) {
    if (!type.shape?.some(isUnknown)) return type;
    const shape = type.shape.map((dim) => (isUnknown(dim) ? undefined : dim));
    return { kind: type.kind, dataType: type.dataType, shape };
  }
  if (type.kind !== 'sequence' && type.kind !== 'optional') return type;
  const element = cleanType(type.element);
  return element === type.element ? type : { kind: type.kind, element };
}
