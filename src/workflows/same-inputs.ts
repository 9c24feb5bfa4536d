import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { formatType } from '../ir/type.js';
import { inputSpecs } from '../runtime/value-specs.js';

/** Both models must take the same inputs, by name and element type. @throws SO4002 naming both sides */
export function checkSameInputs(a: Model, b: Model): void {
  const wanted = inputSpecs(a);
  const given = new Map(inputSpecs(b).map((spec) => [spec.name, spec]));
  for (const spec of wanted) {
    const other = given.get(spec.name);
    given.delete(spec.name);
    if (other && other.dataType === spec.dataType) continue;
    const text = b.graph.inputs.map((value) => `${value.name}: ${formatType(value.type)}`).join(', ');
    throw new ServeOptError(
      'SO4002',
      `The models do not take the same inputs: one has "${spec.name}: ${spec.typeText}", the other ${text || 'none'}`,
    );
  }
  const [extra] = given.keys();
  if (extra !== undefined)
    throw new ServeOptError('SO4002', `The models do not take the same inputs: only the second has "${extra}"`);
}
