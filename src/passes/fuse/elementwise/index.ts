/**
 * Operations element by element, casts and reductions: neighbours with constants merge into one, signs and negations cancel, and several
 * nodes that do the same to parts of one value become one.
 */
export { fuseCasts } from './fuse-casts.js';
export { fuseConsecutiveAffine } from './fuse-consecutive-affine.js';
export { fuseExpands } from './fuse-expands.js';
export { fuseMinMax } from './fuse-min-max.js';
export { fuseNot } from './fuse-not.js';
export { fuseParallelElementwise } from './fuse-parallel-elementwise.js';
export { fuseReduces } from './fuse-reduces.js';
export { fuseSigns } from './fuse-signs.js';
export { fuseWhere } from './fuse-where.js';
