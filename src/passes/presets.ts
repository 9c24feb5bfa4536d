import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import { fuseAttentionOrt } from './fuse/fuse-attention-ort.js';
import { fuseMultiHeadAttention } from './fuse/fuse-multi-head-attention.js';
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
  { pass: eliminateDead, stage: 'clean', level: 'basic' },
  // patterns: the larger ones first.
  { pass: fuseAttentionOrt, stage: 'patterns', level: 'standard' },
  { pass: fuseMultiHeadAttention, stage: 'patterns', level: 'standard' },
];
