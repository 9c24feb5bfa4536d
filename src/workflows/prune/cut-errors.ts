import { ServeOptError } from '../../errors.js';
import type { Dependencies } from '../../prune/dependency-groups.js';
import { groupKind } from '../../prune/group-kind.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { ModelSize } from './model-size.js';

export function nothingToCut(
  dependencies: Dependencies,
  { method = PRUNE_DEFAULTS.method }: PruneOptions,
): ServeOptError {
  const reasons = new Map<string, number>();
  for (const { reason } of dependencies.frozen) reasons.set(reason.text, (reasons.get(reason.text) ?? 0) + 1);
  const [first] = [...reasons].sort((a, b) => b[1] - a[1]);
  const kinds = new Set(dependencies.groups.map((group) => groupKind(dependencies, group)));
  const why =
    kinds.size > 0 && method !== 'structured'
      ? `it has groups of ${[...kinds].join(', ')}, but none of ${method}`
      : first === undefined
        ? 'it has no layers with constant weights between two others'
        : `for example, ${first[0]}`;
  return new ServeOptError('SO3101', 'Nothing can be cut from this model', {
    why,
    hint: 'serve-opt prune MODEL --method magnitude sets single weights to zero',
  });
}

export function tooLittle(amount: number): ServeOptError {
  return new ServeOptError('SO3101', `An amount of ${amount} rounds to no unit in any group`, {
    hint: 'give a larger --amount',
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
