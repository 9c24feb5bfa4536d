import type { Dependencies, DependencyGroup } from './dependency-groups.js';

/** What the units of a group are: heads of attention, channels of convolutions, or neurons of layers of matrices. */
export type GroupKind = 'channels' | 'heads' | 'neurons';

const CONVOLUTIONS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'ConvInteger',
  'QLinearConv',
  'FusedConv',
  'DeformConv',
]);

export function groupKind({ table }: Dependencies, group: DependencyGroup): GroupKind {
  if (group.axes.some((axis) => table.batchAxes.has(axis))) return 'heads';
  const makers = group.marks.filter(({ role }) => role === 'produces');
  return (makers.length > 0 ? makers : group.marks).some(({ node }) => CONVOLUTIONS.has(node.opType))
    ? 'channels'
    : 'neurons';
}
