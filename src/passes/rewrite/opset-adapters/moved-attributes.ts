import type { Attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { elementType, floatScalar, type OpsetAdapter, setConstantInput } from './adapter.js';

/** An attribute that a version made an input. */
interface MovedAttribute {
  readonly name: string;
  readonly slot: number;
  /**
   * Its new form: `list` the list as it is, `vector` an integer as a list of one, `scalar` an integer, `data` a float
   * of the element type of input 0, `float` a FLOAT scalar.
   */
  readonly form: 'list' | 'vector' | 'scalar' | 'data' | 'float';
  readonly required?: boolean;
  /** Given where the default of the absent attribute is not that of the absent input. */
  readonly default?: number;
}

/** The adapter of a version that only turned attributes into inputs. An empty list means the same as an absent one. */
export function movedAttributes(opType: string, version: number, moved: readonly MovedAttribute[]): OpsetAdapter {
  return {
    opType,
    version,
    check: (node) => moved.map((row) => cannotMove(node, row)).find((reason) => reason !== undefined),
    apply: (node) => {
      for (const row of moved) move(node, row);
    },
  };
}

function cannotMove(node: Node, row: MovedAttribute): string | undefined {
  const found = node.attributes.get(row.name);
  if (!found) return row.required ? `it lacks the attribute "${row.name}"` : undefined;
  if (asTensor(found, row, node)) return undefined;
  return row.form === 'data' && found.value.kind === 'float'
    ? 'the element type of its input is unknown'
    : `its attribute "${row.name}" has a wrong type`;
}

function move(node: Node, row: MovedAttribute): void {
  const found = node.attributes.get(row.name);
  node.removeAttribute(row.name);
  const given: Attribute | undefined =
    found ?? (row.default === undefined ? undefined : { name: row.name, value: { kind: 'int', value: row.default } });
  const tensor = given && asTensor(given, row, node);
  if (tensor && !(row.form === 'list' && tensor.size === 0 && !row.required)) {
    setConstantInput(node, row.slot, row.name, tensor);
  }
}

function asTensor({ value }: Attribute, row: MovedAttribute, node: Node): Tensor | undefined {
  if (row.form === 'list' && value.kind === 'ints') return Tensor.int64(value.value);
  if (row.form === 'list' && value.kind === 'floats') return Tensor.float32(value.value);
  if (row.form === 'vector' && value.kind === 'int') return Tensor.int64([value.value]);
  if (row.form === 'scalar' && value.kind === 'int') return Tensor.int64([value.value], []);
  if (row.form === 'float' && value.kind === 'float') return floatScalar(DataType.FLOAT, value.value);
  if (row.form === 'data' && value.kind === 'float') return floatScalar(elementType(node.input(0)), value.value);
  return undefined;
}
