import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import { allNodes } from '../ir/walk.js';
import { suggest } from '../suggest.js';

/** Which nodes a pass may touch, by patterns: node names, globs (`*`, `?`) over names, or op types (`Conv`, `com.microsoft::Gelu`). */
export interface NodeFilter {
  /** Only these; everything when empty. */
  readonly include?: readonly string[] | undefined;
  /** Not these; wins over `include`. */
  readonly exclude?: readonly string[] | undefined;
}

/**
 * The nodes, subgraphs and local functions included, that any of the patterns means. An unnamed node answers to the
 * name of its first output. @throws SO1003 for a pattern that means no node.
 */
export function matchNodes(model: Model, patterns: readonly string[]): Set<Node> {
  const matched = new Set<Node>();
  const byKey = new Map<string, Node[]>();
  const nodes = [...allNodes(model)];
  if (patterns.length === 0) return matched;
  for (const node of nodes) {
    for (const key of keys(node)) {
      const list = byKey.get(key);
      if (list) list.push(node);
      else byKey.set(key, [node]);
    }
  }
  for (const pattern of patterns) {
    let found = byKey.get(pattern) ?? [];
    if (found.length === 0 && /[*?]/.test(pattern)) found = nodes.filter((n) => matchesGlob(nodeLabel(n), pattern));
    if (found.length === 0) throw noMatch(pattern, byKey.keys());
    for (const node of found) matched.add(node);
  }
  return matched;
}

/** The nodes that a pattern means, one after the other; none for one that means nothing. */
export function* nodesMeant(model: Model, pattern: string): Generator<Node> {
  const isGlob = /[*?]/.test(pattern);
  for (const node of allNodes(model))
    if (keys(node).has(pattern) || (isGlob && matchesGlob(nodeLabel(node), pattern))) yield node;
}

/** Whether a pattern means any node. */
export function meansNode(model: Model, pattern: string): boolean {
  return nodesMeant(model, pattern).next().done === false;
}

/** A predicate for a filter. @throws SO1003 for a pattern that means no node. */
export function nodeSelector(model: Model, filter: NodeFilter): (node: Node) => boolean {
  const include = filter.include?.length ? matchNodes(model, filter.include) : undefined;
  const exclude = matchNodes(model, filter.exclude ?? []);
  return (node) => !exclude.has(node) && (include === undefined || include.has(node));
}

/** `*` stands for any run of characters, `?` for one. Time is bounded by pattern × text. */
export function matchesGlob(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function keys(node: Node): Set<string> {
  const type = node.domain === '' ? node.opType : `${node.domain}::${node.opType}`;
  return new Set([nodeLabel(node), node.opType, type]);
}

function noMatch(pattern: string, known: Iterable<string>): ServeOptError {
  const near = suggest(pattern, known);
  const message = `No node, glob or op type matches "${pattern}"`;
  return near === undefined
    ? new ServeOptError('SO1003', message)
    : new ServeOptError('SO1003', message, { hint: `did you mean "${near}"?` });
}
