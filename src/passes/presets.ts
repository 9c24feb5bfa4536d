import { eliminateAddZero } from './eliminate/eliminate-add-zero.js';
import { eliminateCommonSizes } from './eliminate/eliminate-common-sizes.js';
import { eliminateCommonSubexpressions } from './eliminate/eliminate-common-subexpressions.js';
import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateDropout } from './eliminate/eliminate-dropout.js';
import { eliminateDuplicateInitializers } from './eliminate/eliminate-duplicate-initializers.js';
import { eliminateIdempotent } from './eliminate/eliminate-idempotent.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import { eliminateInversePairs } from './eliminate/eliminate-inverse-pairs.js';
import { eliminateNoOpArithmetic } from './eliminate/eliminate-no-op-arithmetic.js';
import { eliminateNoOpCast } from './eliminate/eliminate-no-op-cast.js';
import { eliminateNoOpConcat } from './eliminate/eliminate-no-op-concat.js';
import { eliminateNoOpExpand } from './eliminate/eliminate-no-op-expand.js';
import { eliminateNoOpGather } from './eliminate/eliminate-no-op-gather.js';
import { eliminateNoOpPad } from './eliminate/eliminate-no-op-pad.js';
import { eliminateNoOpPool } from './eliminate/eliminate-no-op-pool.js';
import { eliminateNoOpReshape } from './eliminate/eliminate-no-op-reshape.js';
import { eliminateNoOpResize } from './eliminate/eliminate-no-op-resize.js';
import { eliminateNoOpSlice } from './eliminate/eliminate-no-op-slice.js';
import { eliminateNoOpSplit } from './eliminate/eliminate-no-op-split.js';
import { eliminateNoOpTranspose } from './eliminate/eliminate-no-op-transpose.js';
import { eliminateNoOpWhere } from './eliminate/eliminate-no-op-where.js';
import { liftConstants } from './eliminate/lift-constants.js';
import { foldKnownValues } from './fold/fold-known-values.js';
import { foldReshapeTarget } from './fold/fold-reshape-target.js';
import type { RegisteredPass } from './registry.js';

/** How far `optimize` goes: each level does what the ones before it do. */
export const OPTIMIZE_LEVELS = ['basic', 'standard', 'max'] as const;
/**
 * `basic` keeps outputs bit for bit, `standard` adds what changes them by rounding and is known to pay, `max` what
 * makes the graph larger for a while or pays on some machines only.
 */
export type OptimizeLevel = (typeof OPTIMIZE_LEVELS)[number];

/**
 * The order of work. What a stage merges is not taken apart again, so large patterns come before the small ones that
 * are parts of them. `clean` passes take part in every later stage too.
 */
export const OPTIMIZE_STAGES = ['prepare', 'clean', 'patterns', 'merge', 'target'] as const;
export type OptimizeStage = (typeof OPTIMIZE_STAGES)[number];

export interface PresetRow {
  readonly pass: RegisteredPass;
  readonly stage: OptimizeStage;
  /** The lowest level that has it; undefined for one that runs only where it is asked for by name. */
  readonly level: OptimizeLevel | undefined;
}

/** What `optimize` is made of, in the order in which passes are tried at a node. */
export const OPTIMIZE_PRESET: readonly PresetRow[] = [
  // clean: exact, and whatever makes patterns easier to see.
  { pass: eliminateIdentity, stage: 'clean', level: 'basic' },
  { pass: eliminateAddZero, stage: 'clean', level: 'standard' },
  { pass: eliminateDropout, stage: 'clean', level: 'basic' },
  { pass: eliminateDuplicateInitializers, stage: 'clean', level: 'basic' },
  { pass: eliminateIdempotent, stage: 'clean', level: 'basic' },
  { pass: eliminateInversePairs, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpArithmetic, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpCast, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpConcat, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpExpand, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpGather, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpPad, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpPool, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpReshape, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpResize, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpSlice, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpSplit, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpTranspose, stage: 'clean', level: 'basic' },
  { pass: eliminateNoOpWhere, stage: 'clean', level: 'basic' },
  { pass: liftConstants, stage: 'clean', level: 'basic' },
  { pass: foldKnownValues, stage: 'clean', level: 'basic' },
  { pass: foldReshapeTarget, stage: 'clean', level: 'basic' },
  { pass: eliminateCommonSizes, stage: 'clean', level: 'basic' },
  { pass: eliminateCommonSubexpressions, stage: 'clean', level: 'basic' },
  { pass: eliminateDead, stage: 'clean', level: 'basic' },
];
