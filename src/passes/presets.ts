import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import { foldAffineIntoConv } from './fold/fold-affine-into-conv.js';
import { foldAffineIntoNext } from './fold/fold-affine-into-next.js';
import { foldBatchNormalization } from './fold/fold-batch-normalization.js';
import { foldConstants } from './fold/fold-constants.js';
import { inlineIf } from './fold/inline-if.js';
import { unrollLoop } from './fold/unroll-loop.js';
import { fuseLayerNormalization } from './fuse/fuse-layer-normalization.js';
import { fuseMatmulAdd } from './fuse/fuse-matmul-add.js';
import { fuseScaleIntoGemm } from './fuse/fuse-scale-into-gemm.js';
import { fuseTransposeIntoGemm } from './fuse/fuse-transpose-into-gemm.js';
import { fuseTransposes } from './fuse/fuse-transposes.js';
import { fuseViews } from './fuse/fuse-views.js';
import type { OptimizeLevel, OptimizeStage } from './levels.js';
import type { RegisteredPass } from './registry.js';
import { inlineFunctions } from './rewrite/inline-functions.js';
import { raiseOpsetForRuntime } from './rewrite/raise-opset-for-runtime.js';

/** A pass in its place among others. */
export interface RecipeRow {
  readonly pass: RegisteredPass;
  readonly stage: OptimizeStage;
  /** Options of the pass; default those of its table. */
  readonly options?: object;
}

export interface PresetRow extends RecipeRow {
  /** The lowest level that has it; undefined for one that runs only where it is asked for by name. */
  readonly level: OptimizeLevel | undefined;
}

/** What `optimize` is made of, in the order in which passes are tried at a node. */
export const OPTIMIZE_PRESET: readonly PresetRow[] = [
  { pass: inlineFunctions, stage: 'prepare', level: undefined },
  { pass: raiseOpsetForRuntime, stage: 'prepare', level: 'standard' },
  // clean: exact, and whatever makes patterns easier to see.
  { pass: eliminateIdentity, stage: 'clean', level: 'basic' },
  { pass: fuseTransposes, stage: 'clean', level: 'basic' },
  { pass: fuseViews, stage: 'clean', level: 'basic' },
  { pass: eliminateDead, stage: 'clean', level: 'basic' },
  { pass: foldConstants, stage: 'clean', level: 'basic' },
  { pass: inlineIf, stage: 'clean', level: 'basic' },
  { pass: unrollLoop, stage: 'clean', level: 'max' },
  // patterns: several nodes that are one operator of the specification.
  { pass: fuseLayerNormalization, stage: 'patterns', level: 'standard' },
  // merge: multiplications and additions of constants go into the weights beside them.
  { pass: foldBatchNormalization, stage: 'merge', level: 'standard' },
  { pass: foldAffineIntoConv, stage: 'merge', level: 'standard' },
  { pass: foldAffineIntoNext, stage: 'merge', level: 'standard' },
  { pass: fuseMatmulAdd, stage: 'merge', level: 'standard' },
  { pass: fuseTransposeIntoGemm, stage: 'merge', level: 'standard' },
  { pass: fuseScaleIntoGemm, stage: 'merge', level: 'standard' },
];
