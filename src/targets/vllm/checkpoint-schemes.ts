/**
 * Schemes of compressed-tensors checkpoints that need no data (`quantization/quant_scheme.py` of compressed-tensors 0.20: W4A16, W8A16,
 * W8A8, FP8_DYNAMIC), and the names of tensors of each storage format (`compressors/`).
 */
import type { LinearCodes } from '../../quantize/linear-weights.js';

export const CHECKPOINT_MODES = ['w4a16', 'w8a16', 'w8a8', 'fp8'] as const;
export type CheckpointMode = (typeof CHECKPOINT_MODES)[number];

/** How weights stand in the files. */
export type CheckpointFormat = 'pack-quantized' | 'int-quantized' | 'float-quantized';

export interface CheckpointScheme {
  readonly format: CheckpointFormat;
  readonly codes: LinearCodes;
  /** Activations get a scale for each token while the model runs. */
  readonly dynamicActivations: boolean;
  /** The least compute capability of an NVIDIA GPU on which vLLM has a kernel for it (its page on supported hardware). */
  readonly gpu: string;
}

/** Inputs that share a scale, unless told otherwise: what kernels of vLLM are made for. */
export const DEFAULT_GROUP_SIZE = 128;
/** Group sizes that vLLM has kernels for. */
export const GROUP_SIZES = [32, 64, 128] as const;

const SCHEMES: Readonly<Record<CheckpointMode, CheckpointScheme>> = {
  w4a16: {
    format: 'pack-quantized',
    codes: { bits: 4, kind: 'int', groupSize: DEFAULT_GROUP_SIZE },
    dynamicActivations: false,
    gpu: '7.5 (Turing) or newer',
  },
  w8a16: {
    format: 'pack-quantized',
    codes: { bits: 8, kind: 'int' },
    dynamicActivations: false,
    gpu: '7.5 (Turing) or newer',
  },
  w8a8: {
    format: 'int-quantized',
    codes: { bits: 8, kind: 'int' },
    dynamicActivations: true,
    gpu: '7.5 (Turing) to 9.0 (Hopper)',
  },
  fp8: {
    format: 'float-quantized',
    codes: { bits: 8, kind: 'float' },
    dynamicActivations: true,
    gpu: '8.9 (Ada) or newer; weights only from 7.5 on',
  },
};

/** The scheme of a mode. @param groupSize of `w4a16` only */
export function checkpointScheme(mode: CheckpointMode, groupSize?: number): CheckpointScheme {
  const scheme = SCHEMES[mode];
  return groupSize === undefined ? scheme : { ...scheme, codes: { ...scheme.codes, groupSize } };
}

/** The value of `quantization_config` in `config.json`. @param ignore modules that stay as they are */
export function quantizationConfig(scheme: CheckpointScheme, ignore: readonly string[]): Record<string, unknown> {
  const { bits, kind, groupSize } = scheme.codes;
  const weights = {
    num_bits: bits,
    type: kind,
    symmetric: true,
    strategy: groupSize === undefined ? 'channel' : 'group',
    group_size: groupSize ?? null,
    dynamic: false,
  };
  const activations = {
    num_bits: bits,
    type: kind,
    symmetric: true,
    strategy: 'token',
    group_size: null,
    dynamic: true,
  };
  return {
    quant_method: 'compressed-tensors',
    format: scheme.format,
    quantization_status: 'compressed',
    config_groups: {
      group_0: {
        targets: ['Linear'],
        weights,
        input_activations: scheme.dynamicActivations ? activations : null,
        output_activations: null,
      },
    },
    ignore: [...ignore],
    kv_cache_scheme: null,
    global_compression_ratio: null,
  };
}
