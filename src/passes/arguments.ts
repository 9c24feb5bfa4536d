/** What an operator is told, wherever its version keeps it: in an attribute, or in an input that is known. */
import type { Node } from '../ir/node.js';
import type { Dim } from '../ir/type.js';
import type { RewriteContext } from './engine/rewrite.js';

/** True where an attribute is a reference to one of the enclosing local function: what it holds is known at each call only. */
export function hasReferences(node: Node): boolean {
  for (const { value } of node.attributes.values()) if (value.kind === 'reference') return true;
  return false;
}

/** A list from attribute `name` or else input `slot`: its items, symbolic sizes included; `absent` where neither is there, undefined where it cannot be known. */
export function itemsOf(
  node: Node,
  name: string,
  slot: number,
  context: RewriteContext,
): readonly Dim[] | 'absent' | undefined {
  if (node.attributes.has(name)) return node.ints(name);
  const input = node.input(slot);
  if (!input) return 'absent';
  return context.elements(input)?.items;
}

/** Like `itemsOf`, for what must be numbers. */
export function numbersOf(
  node: Node,
  name: string,
  slot: number,
  context: RewriteContext,
): readonly number[] | 'absent' | undefined {
  const items = itemsOf(node, name, slot, context);
  if (items === undefined || items === 'absent') return items;
  return items.every((item) => typeof item === 'number') ? items : undefined;
}
