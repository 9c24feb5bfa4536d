import { RANGE_CHOICES } from '../quantize/observers/observer-names.js';
import { PLACE_NAMES, QUANTIZED_FORMATS } from '../quantize/place-names.js';
import { QUANTIZE_DEFAULTS } from '../workflows/options.js';
import { REPAIR_EFFORTS } from '../workflows/repair-effort.js';
import { WEIGHT_ONLY_FLAGS } from './weight-only-flags.js';

/** Flags of `quantize` alone. */
export const QUANTIZE_FLAGS = {
  ...WEIGHT_ONLY_FLAGS,
  calibration: {
    value: 'NAME',
    choices: RANGE_CHOICES,
    default: QUANTIZE_DEFAULTS.calibration,
    group: 'Method',
    summary: 'ranges: auto, minmax, percentile, entropy, mse …',
  },
  effort: {
    value: 'NAME',
    choices: REPAIR_EFFORTS,
    default: QUANTIZE_DEFAULTS.effort,
    group: 'Method',
    summary: 'work on repairing INT8: low, medium, high',
  },
  scheme: { value: 'FILE', path: true, group: 'Layers', summary: 'types of activations and weights, YAML or JSON' },
  override: {
    value: 'GLOB:TYPE',
    repeatable: true,
    group: 'Layers',
    summary: "of single nodes: 'conv1.*:activations=u16'",
  },
  'float-weights': { group: 'Method', summary: 'tensorrt: weights stay FP32, for TensorRT 8' },
  'reduce-range': { group: 'Method', summary: '7-bit weights, for x86 without VNNI' },
} as const;

/** Rows that other commands have too, in the words of `quantize`. */
export const QUANTIZE_OVERRIDES = {
  for: {
    choices: [...PLACE_NAMES, 'vllm'],
    summary: 'where it will run: ort-cpu:avx2, qnn, vllm …',
  },
  format: {
    value: 'NAME',
    choices: QUANTIZED_FORMATS,
    default: 'qdq',
    group: 'Method',
    summary: 'static INT8 as pairs (qdq) or as qoperator',
  },
} as const;
