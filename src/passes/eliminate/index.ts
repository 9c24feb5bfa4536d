/**
 * What computes nothing, or what something else computes already, goes: identities and operations that change nothing,
 * equal nodes and initializers, dead code, detours through Identity, Dropout or sequences. All exact. A node that goes hands its
 * name on to what stands for it.
 */
export { eliminateAddZero } from './eliminate-add-zero.js';
export { eliminateCommonSizes } from './eliminate-common-sizes.js';
export {
  type EliminateCommonSubexpressionsOptions,
  eliminateCommonSubexpressions,
} from './eliminate-common-subexpressions.js';
export { eliminateDead } from './eliminate-dead.js';
export { eliminateDropout } from './eliminate-dropout.js';
export { eliminateDuplicateInitializers } from './eliminate-duplicate-initializers.js';
export { eliminateIdempotent } from './eliminate-idempotent.js';
export { eliminateIdentity } from './eliminate-identity.js';
export { eliminateInversePairs } from './eliminate-inverse-pairs.js';
export { eliminateNoOpArithmetic } from './eliminate-no-op-arithmetic.js';
export { eliminateNoOpCast } from './eliminate-no-op-cast.js';
export { eliminateNoOpConcat } from './eliminate-no-op-concat.js';
export { eliminateNoOpExpand } from './eliminate-no-op-expand.js';
export { eliminateNoOpGather } from './eliminate-no-op-gather.js';
export { eliminateNoOpPad } from './eliminate-no-op-pad.js';
export { eliminateNoOpPool } from './eliminate-no-op-pool.js';
export { eliminateNoOpReshape } from './eliminate-no-op-reshape.js';
export { eliminateNoOpResize } from './eliminate-no-op-resize.js';
export { eliminateNoOpScatter } from './eliminate-no-op-scatter.js';
export { eliminateNoOpSlice } from './eliminate-no-op-slice.js';
export { eliminateNoOpSplit } from './eliminate-no-op-split.js';
export { eliminateNoOpTranspose } from './eliminate-no-op-transpose.js';
export { eliminateNoOpWhere } from './eliminate-no-op-where.js';
export { eliminateSequences } from './eliminate-sequences.js';
export { eliminateSoftmaxBeforeArgMax } from './eliminate-softmax-before-arg-max.js';
export { eliminateZeroStates } from './eliminate-zero-states.js';
export { liftConstants } from './lift-constants.js';
