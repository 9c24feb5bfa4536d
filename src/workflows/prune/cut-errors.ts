import { ServeOptError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import { nodeLabel } from '../../ir/problem.js';
import { walkGraphs } from '../../ir/walk.js';
import { matchNodes } from '../../passes/node-filter.js';
import type { Dependencies, DependencyGroup, FrozenAxis } from '../../prune/dependency-groups.js';
import { type GroupKind, groupKind } from '../../prune/group-kind.js';
import { repairLayer } from '../../prune/repair/repair-layers.js';
import { plural } from '../../report/format.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { ModelSize } from './model-size.js';

/** @param base the model that was to be cut */
export function nothingToCut(
  base: Model,
  dependencies: Dependencies,
  { method = PRUNE_DEFAULTS.method, include = [], exclude = [] }: PruneOptions,
): ServeOptError {
  const kinds = new Set(dependencies.groups.map((group) => groupKind(dependencies, group)));
  const others = 'serve-opt prune MODEL --method magnitude sets single weights to zero';
  if (kinds.size > 0 && method !== 'structured' && !kinds.has(method as GroupKind))
    return new ServeOptError('SO3101', 'Nothing can be cut from this model', {
      why: `it has groups of ${[...kinds].join(', ')}, but none of ${method}`,
      hint: `write --method ${[...kinds][0]}, or leave --method out`,
    });
  if (kinds.size > 0 && include.length > 0)
    return new ServeOptError('SO3101', 'Nothing can be cut from the layers that --include means', {
      why: whyIncludedStay(base, dependencies, include),
      hint: 'serve-opt prune MODEL --explain lists groups, and what stays whole',
    });
  if (kinds.size > 0)
    return new ServeOptError('SO3101', '--exclude keeps all that can be cut from this model', {
      why: `it means layers of each of the ${plural(dependencies.groups.length, 'group')}: ${exclude.join(', ')}`,
      hint: 'exclude fewer layers',
    });
  return new ServeOptError('SO3101', 'Nothing can be cut from this model', {
    why:
      mainReasons(base, dependencies.frozen) ??
      layersInside(base) ??
      'it has no layers with constant weights between two others',
    hint: others,
  });
}

/** Where the layers are, when all are in subgraphs. */
function layersInside({ graph }: Model): string | undefined {
  for (const node of graph.nodes) {
    const inside = [...node.subgraphs()].reduce((sum, { graph: own }) => sum + weightedNodes(own), 0);
    if (inside > 0)
      return `its layers are in subgraphs, which are not looked into (${plural(inside, 'layer')} in ${nodeLabel(node)})`;
  }
  return undefined;
}

function weightedNodes(graph: Graph): number {
  let count = 0;
  for (const each of walkGraphs(graph)) for (const node of each.nodes) if (repairLayer(node) !== undefined) count++;
  return count;
}

/** The reasons of most axes, each with one of them; and layers of one output, of which nothing would be left. */
function mainReasons({ graph }: Model, frozen: readonly FrozenAxis[]): string | undefined {
  const byText = new Map<string, FrozenAxis[]>();
  for (const each of frozen) byText.set(each.reason.text, [...(byText.get(each.reason.text) ?? []), each]);
  const most = [...byText.values()].sort((a, b) => b.length - a.length).slice(0, MOST_REASONS);
  const parts = most.flatMap(([first]) =>
    first ? [`axis ${first.axis} of "${first.value.name}" stays: ${first.reason.text}`] : [],
  );
  const single = [...graph.nodes].find((node) => {
    const layer = repairLayer(node);
    return typeof layer === 'object' && layer.groups * layer.outputs === 1 && !node.output().isGraphOutput;
  });
  if (single) parts.push(`${nodeLabel(single)} has a single output`);
  return parts.length === 0 ? undefined : parts.join('; ');
}

const MOST_REASONS = 3;

/** The first of these layers whose outputs are no units. */
function whyIncludedStay(base: Model, { frozen }: Dependencies, include: readonly string[]): string {
  const nodes = matchNodes(base, include);
  const own = frozen.find(({ node, role }) => role === 'produces' && nodes.has(node));
  return own
    ? `the outputs of ${nodeLabel(own.node)} stay whole: ${own.reason.text}`
    : 'no weights of theirs make units of a group, which is cut at the layers that make it';
}

export function tooLittle(amount: number): ServeOptError {
  return new ServeOptError('SO3101', `An amount of ${amount} rounds to no unit in any group`, {
    hint: 'give a larger --amount',
  });
}

/** @param largest of the groups that may be cut */
export function tooMuch(amount: number, { name, units }: DependencyGroup): ServeOptError {
  return new ServeOptError('SO3101', `An amount of ${amount} units would leave nothing of any group`, {
    why: `the largest, "${name}", has ${units.length} units`,
    hint: `write --amount ${units.length - 1} or less, or a share: --amount 0.3`,
  });
}

/** @param limit how far cutting can go: with one unit left in every group */
export function outOfReach(
  before: ModelSize,
  smallest: ModelSize,
  { targetMacs, targetParams }: PruneOptions,
  limit = 'with one unit left in every group',
): ServeOptError {
  const share = (a: number, b: number): string => `${(a / b).toPrecision(2)}x`;
  const parts = [
    ...(targetMacs === undefined ? [] : [`multiply-adds to ${share(smallest.macs, before.macs)}`]),
    ...(targetParams === undefined ? [] : [`parameters to ${share(smallest.parameters, before.parameters)}`]),
  ];
  return new ServeOptError('SO3101', 'The target is out of reach', {
    why: `${limit}, cutting brings ${parts.join(' and ')}`,
    hint: 'give a larger target, or add --through-normalization; --explain lists what stays whole',
  });
}
