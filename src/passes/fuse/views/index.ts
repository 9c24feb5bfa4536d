/**
 * Nodes that move elements and compute none: Transpose, Reshape and its kin, Slice, Gather, Split, Concat. Neighbours merge,
 * inverses vanish, a Transpose sinks behind what it can (`transpose-rules.ts` says how each operator moves along with it).
 * `view-shapes.ts` answers what a view does to axes; `slice-ranges.ts` and `gather-indices.ts` what is taken.
 */
export { fuseConcats } from './fuse-concats.js';
export { fuseGatherViews } from './fuse-gather-views.js';
export { fuseGathers } from './fuse-gathers.js';
export { fuseReduceViews } from './fuse-reduce-views.js';
export { fuseSlices } from './fuse-slices.js';
export { fuseSlicesIntoSplit } from './fuse-slices-into-split.js';
export { fuseSplits } from './fuse-splits.js';
export { fuseTransposes } from './fuse-transposes.js';
export { fuseViewSandwiches } from './fuse-view-sandwiches.js';
export { fuseViews } from './fuse-views.js';
export { sinkTransposes } from './sink-transposes.js';
