import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { type Dim, formatType } from '../../ir/type.js';
import { inputSpecs } from '../../samples/value-specs.js';

/** Both models must take the same inputs: names, element types, ranks and fixed sizes. @throws SO4002 naming both sides */
export function checkSameInputs(a: Model, b: Model): void {
  const wanted = inputSpecs(a);
  const given = new Map(inputSpecs(b).map((spec) => [spec.name, spec]));
  for (const spec of wanted) {
    const other = given.get(spec.name);
    given.delete(spec.name);
    if (other && other.dataType === spec.dataType && mayAgree(spec.shape, other.shape)) continue;
    const text = b.graph.inputs.map((value) => `"${value.name}: ${formatType(value.type)}"`).join(', ');
    throw new ServeOptError(
      'SO4002',
      `The models do not take the same inputs: one has "${spec.name}: ${spec.typeText}", the other ${text || 'none'}`,
    );
  }
  const [extra] = given.keys();
  if (extra !== undefined)
    throw new ServeOptError('SO4002', `The models do not take the same inputs: only the second has "${extra}"`);
}

/** Whether some tensor has both shapes. */
function mayAgree(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  if (!a || !b) return true;
  const isFixed = (dim: Dim): dim is number => typeof dim === 'number' && dim > 0;
  return (
    a.length === b.length &&
    a.every((dim, axis) => {
      const other = b[axis];
      return !isFixed(dim) || !isFixed(other) || dim === other;
    })
  );
}

/** Something to compare: outputs of the same name. @throws SO4005 naming both sides */
export function checkSharedOutputs(a: readonly string[], b: readonly string[]): void {
  if (a.length === 0 || b.length === 0 || a.some((name) => b.includes(name))) return;
  const list = (names: readonly string[]): string => names.slice(0, 10).join(', ');
  throw new ServeOptError('SO4005', 'The two models have no output of the same name', {
    why: `one has ${list(a)}; the other ${list(b)}`,
  });
}
