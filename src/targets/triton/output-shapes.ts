/** What a server's ONNX Runtime reports of the outputs of a model: the declared shapes merged with those that it infers. */
import type { Dim, Shape } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { symbolsOf } from '../../ops/dim.js';

/**
 * The shape that ONNX Runtime makes of a declared and an inferred one. It takes sizes from either, opens a dimension where two
 * sizes contradict each other, and forgets the rank where the ranks do (`Graph::UpdateTypeShapeInference`, `UnionShapeInfo`).
 * Its interface has no unknown ranks: it reports them as scalars, which is right where the inferred one is a scalar.
 */
export function mergedShape(declared: Shape, inferred: Shape): Shape {
  if (declared === undefined || inferred === undefined) return declared ?? inferred;
  if (declared.length !== inferred.length) return inferred.length === 0 ? [] : undefined;
  return declared.map((dim, axis) => {
    const other = inferred[axis];
    if (!isSize(dim)) return isSize(other) ? other : dim;
    return isSize(other) && other !== dim ? undefined : dim;
  });
}

/**
 * Whether `mergedShape` is what ONNX Runtime reports, whatever its inference knows: each inferred size is declared too, and
 * each inferred open dimension follows from open ones of the inputs.
 * @param open names of open dimensions of the inputs
 */
export function isSettled(declared: Shape, inferred: Shape, open: ReadonlySet<string>): boolean {
  if (inferred === undefined || declared?.length !== inferred.length) return false;
  return inferred.every((dim, axis) => {
    if (isSize(dim)) return declared[axis] === dim;
    return typeof dim === 'string' && symbolsOf(dim).length > 0 && symbolsOf(dim).every((name) => open.has(name));
  });
}

/** Names of open dimensions of inputs. */
export function openNames(inputs: readonly Value[]): Set<string> {
  const shapes = inputs.flatMap(({ type }) => (type?.kind === 'tensor' ? [type.shape ?? []] : []));
  return new Set(shapes.flat().flatMap((dim) => (typeof dim === 'string' ? symbolsOf(dim) : [])));
}

function isSize(dim: Dim): dim is number {
  return typeof dim === 'number' && dim >= 0;
}
