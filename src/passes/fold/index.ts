/**
 * What constants alone decide is computed once: constant subgraphs, shapes and their pieces, branches and loops that are known, and
 * multiplications and additions of constants, which go into the weights beside them (`affine.ts`, `linear-input.ts`,
 * `linear-output.ts`). What is stored may not make the file grow: `choose-folded.ts` decides.
 */
export { foldAffineIntoConv } from './fold-affine-into-conv.js';
export { foldAffineIntoGather } from './fold-affine-into-gather.js';
export { type FoldAffineIntoNextOptions, foldAffineIntoNext } from './fold-affine-into-next.js';
export { foldAffineIntoNormalization } from './fold-affine-into-normalization.js';
export { foldBatchNormalization } from './fold-batch-normalization.js';
export { foldCastOfConstantOfShape } from './fold-cast-of-constant-of-shape.js';
export { foldConstants } from './fold-constants.js';
export { foldKnownValues } from './fold-known-values.js';
export { foldReshapeTarget } from './fold-reshape-target.js';
export { foldShapePieces } from './fold-shape-pieces.js';
export { foldUniformGather } from './fold-uniform-gather.js';
export { inlineIf } from './inline-if.js';
export { type UnrollLoopOptions, unrollLoop } from './unroll-loop.js';
