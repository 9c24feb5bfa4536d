import type { CheckpointMode, CheckpointScheme } from '../../targets/vllm/checkpoint-schemes.js';
import type { LayerChoice } from '../../targets/vllm/linear-layers.js';
import type { ShardPlan } from './plan-shard.js';
import type { Checkpoint } from './read-checkpoint.js';

/** Options of `quantizeCheckpoint`. */
export interface CheckpointOptions {
  /** Default `w8a8`. */
  readonly mode?: CheckpointMode;
  /** Folder to write; default beside the checkpoint, named for the mode. */
  readonly outputPath?: string;
  /** Inputs that share a scale, of `w4a16`: 32, 64 or 128 (default). */
  readonly block?: number;
  /** Names of modules, or globs; only these are quantized. */
  readonly include?: readonly string[];
  /** Names of modules, or globs, that stay as they are. */
  readonly exclude?: readonly string[];
  /** Do everything but write. */
  readonly dryRun?: boolean;
  /** Replace an existing folder. */
  readonly force?: boolean;
}

/** All that is known before a weight is read. */
export interface CheckpointWork {
  readonly checkpoint: Checkpoint;
  readonly mode: CheckpointMode;
  readonly scheme: CheckpointScheme;
  readonly choice: LayerChoice;
  readonly plans: readonly ShardPlan[];
  readonly outputPath: string;
}
