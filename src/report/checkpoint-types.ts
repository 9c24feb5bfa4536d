/** What `quantize --for vllm` reports. */
import type { CheckpointFormat, CheckpointMode } from '../targets/vllm/checkpoint-schemes.js';
import type { PackagedFile } from './package-types.js';
import type { ReportHeader } from './types.js';

/** A matrix that was quantized. */
export interface CheckpointLayerReport {
  /** Name of the module, as in transformers. */
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  /** Signal over rounding noise of its weights, in dB. */
  readonly sqnrDb: number;
}

/** A matrix that stays as it is. */
export interface CheckpointLeftReport {
  readonly name: string;
  readonly reason: string;
}

/** Answer of `quantize --for vllm`. */
export interface CheckpointReport extends ReportHeader {
  readonly command: 'quantize checkpoint';
  readonly mode: CheckpointMode;
  readonly format: CheckpointFormat;
  /** Inputs that share a scale; absent for one scale an output. */
  readonly groupSize?: number;
  /** Name of the folder. */
  readonly input: { readonly name: string; readonly weightBytes: number };
  readonly output: { readonly name: string; readonly weightBytes: number };
  /** False after a dry run. */
  readonly written: boolean;
  /** Whether an earlier, interrupted run had done a part. */
  readonly resumed: boolean;
  /** Elements of all weights, and of those that are quantized. */
  readonly parameters: { readonly total: number; readonly quantized: number };
  readonly quantized: readonly CheckpointLayerReport[];
  readonly left: readonly CheckpointLeftReport[];
  /** Rows that were read back from the written files and compared with the originals. */
  readonly rowsReadBack: number;
  readonly files: readonly PackagedFile[];
  /** What is in the folder and was not taken along. */
  readonly skipped: readonly string[];
  /** Command that serves the result. */
  readonly serverCommand: string;
}
