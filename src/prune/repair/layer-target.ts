import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';

/** What a layer is to give: `value` of the original, less `others` of the pruned network. */
export interface LayerTarget {
  /** Of the network that the layer is in; the original has its counterpart by the same name. */
  readonly value: Value;
  /** What else goes into the sum that `value` is: constants, and what came another way. */
  readonly others: readonly Value[];
}

/**
 * What a layer is fitted to: the sum that its result goes into where nothing but a bias is between, so that errors of the layers before
 * it are made up for; else its own result. What is handed on by Identity stands for what it is handed on as: there, a block was dropped,
 * and the layer before makes up for it.
 */
export function layerTarget(node: Node): LayerTarget {
  const { value, others } = sumBehind(node) ?? { value: node.output(), others: [] };
  return { value: handedOn(value), others };
}

function sumBehind(node: Node): LayerTarget | undefined {
  const others: Value[] = [];
  let value = node.output();
  for (let steps = 0; steps < 3; steps++) {
    const use = onlyUse(value);
    if (!use?.node.is('Add')) return undefined;
    const other = use.node.input(1 - use.slot);
    if (!other || other === value) return undefined;
    others.push(other);
    if (!constantTensor(other)) {
      const [own, way] = [rankOf(value), rankOf(other)];
      return own !== undefined && own === way ? { value: use.node.output(), others } : undefined;
    }
    value = use.node.output();
  }
  return undefined;
}

function handedOn(value: Value): Value {
  const use = onlyUse(value);
  return use?.node.is('Identity') ? handedOn(use.node.output()) : value;
}

function onlyUse(value: Value): { readonly node: Node; readonly slot: number } | undefined {
  if (value.uses.size !== 1 || value.isGraphOutput) return undefined;
  const [use] = value.uses;
  return use;
}

function rankOf({ type }: Value): number | undefined {
  return type?.kind === 'tensor' ? type.shape?.length : undefined;
}
