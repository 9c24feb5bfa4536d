import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { rankOf } from '../../types.js';
import { replaceByEqual } from './equal-value.js';
import { composePerms, isIdentityPerm, permOf } from './perms.js';
import { isReadBy } from './sole-readers.js';

/**
 * Transpose(Transpose(x; p); q) = Transpose(x; r) with r[i] = p[q[i]], and x where r leaves every axis in place.
 *
 * Fires when both permutations are known (a missing one reverses the axes) and nothing but Transposes reads the value
 * between. Refuses one that comes back to a value which cannot take the name of a graph output. Numerics: exact.
 */
export const fuseTransposes = defineRewrite<object>({
  name: 'fuse-transposes',
  summary: 'Merges consecutive Transposes into one, or none.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Transpose'],
  rules: () => ({ match: matchTranspose }),
});

function matchTranspose(node: Node): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  if (!middle || !source || !first?.is('Transpose')) return undefined;
  const rank = rankOf(source) ?? first.ints('perm')?.length ?? node.ints('perm')?.length;
  const perm = composePerms(permOf(first, rank), permOf(node, rank));
  const cancels = perm ? isIdentityPerm(perm) : !first.attributes.has('perm') && !node.attributes.has('perm');
  if (cancels) {
    const merge = replaceByEqual(node, source);
    return typeof merge === 'string' ? merge : { nodes: [node, first], apply: merge };
  }
  if (!perm || !isReadBy(middle, node.graph, (reader) => reader.is('Transpose'))) return undefined;
  return {
    nodes: [node, first],
    apply: () => takeOver(node, { opType: 'Transpose', inputs: [source], attributes: [attribute('perm', perm)] }),
  };
}
