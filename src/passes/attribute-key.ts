import type { Attribute, AttributeValue } from '../ir/attribute.js';
import type { Node } from '../ir/node.js';
import type { Tensor } from '../tensor/tensor.js';
import { sameTensor, tensorKey } from './eliminate/tensor-equality.js';

/**
 * The attributes of a node as text: equal nodes have equal texts. Of tensors it holds a key only, so `sameAttributes` has
 * the last word. Undefined where attributes cannot be compared: subgraphs, types, sparse tensors and what is unknown.
 * @param defaults what an absent attribute is taken for; one that says no more than that is left out
 */
export function attributesKey(node: Node, defaults: ReadonlyMap<string, unknown> = new Map()): string | undefined {
  const texts: string[] = [];
  for (const attribute of node.attributes.values()) {
    const text = valueKey(attribute.value);
    if (text === undefined) return undefined;
    if (!isDefault(attribute, defaults.get(attribute.name))) texts.push(`${attribute.name}=${text}`);
  }
  return texts.sort().join('\n');
}

/** Whether two nodes have the same attributes, bit for bit. */
export function sameAttributes(a: Node, b: Node): boolean {
  const key = attributesKey(a);
  return key !== undefined && key === attributesKey(b) && sameTensorAttributes(a, b);
}

/** Whether the tensors in attributes are the same, bit for bit; for nodes whose keys are equal. */
export function sameTensorAttributes(a: Node, b: Node): boolean {
  for (const { name, value } of a.attributes.values()) {
    const others = tensorsOf(b.attributes.get(name)?.value);
    if (!tensorsOf(value).every((tensor, at) => others[at] && sameTensor(tensor, others[at]))) return false;
  }
  return true;
}

function tensorsOf(value: AttributeValue | undefined): readonly Tensor[] {
  if (value?.kind === 'tensor') return [value.value];
  return value?.kind === 'tensors' ? value.value : [];
}

function valueKey(value: AttributeValue): string | undefined {
  switch (value.kind) {
    case 'float':
      return `f${numberKey(value.value)}`;
    case 'int':
      return `i${value.value}`;
    case 'string':
      return `s${Buffer.from(value.value).toString('hex')}`;
    case 'floats':
      return `F${value.value.map(numberKey).join()}`;
    case 'ints':
      return `I${value.value.join()}`;
    case 'strings':
      return `S${value.value.map((text) => Buffer.from(text).toString('hex')).join()}`;
    case 'tensor':
      return `t${tensorKey(value.value)}`;
    case 'tensors':
      return `T${value.value.map(tensorKey).join()}`;
    case 'reference':
      return `r${value.value}`;
    default:
      return undefined;
  }
}

function numberKey(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

const utf8 = new TextDecoder();

function isDefault({ value }: Attribute, fallback: unknown): boolean {
  if (fallback === undefined) return false;
  if (value.kind === 'int') return Number(value.value) === fallback;
  if (value.kind === 'float') return Object.is(value.value, Math.fround(Number(fallback)));
  return value.kind === 'string' && utf8.decode(value.value) === fallback;
}
