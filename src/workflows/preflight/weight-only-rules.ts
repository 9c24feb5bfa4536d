import type { OptionRule } from './option-rule.js';

const WEIGHT_MODES = ['--mode int4', '--mode int8-weights', '--mode int2'];
const OTHER_MODES = ['--mode auto', '--mode static', '--mode dynamic', '--mode fp16', '--mode bf16', '--mode fp8'];

/** What goes with the modes of `quantize` that quantize weights alone. */
export const WEIGHT_ONLY_RULES: readonly OptionRule[] = [
  {
    commands: ['quantize'],
    options: WEIGHT_MODES,
    excludes: [
      '--per-tensor',
      '--reduce-range',
      '--calibration',
      '--float-weights',
      '--fp16-io',
      '--effort',
      '--max-drop',
      '--min-speedup',
      '--for tensorrt',
    ],
    why: 'weights alone are quantized, in blocks',
  },
  {
    commands: ['quantize'],
    options: ['--block', '--method', '--asymmetric'],
    excludes: OTHER_MODES,
    why: 'it applies to weights that are quantized alone',
    hint: 'add --mode int4',
  },
  {
    commands: ['quantize'],
    options: ['--block', '--method', '--asymmetric'],
    unless: '--for vllm',
    needs: '--mode',
    why: 'it applies to weights that are quantized alone',
    hint: 'add --mode int4',
  },
  {
    commands: ['quantize'],
    options: ['--mode int2'],
    needs: '--operators ort',
    why: 'standard operators have 2 bits from opset 25 on, which runtimes do not load yet',
    hint: 'add --operators ort',
  },
  {
    commands: ['quantize'],
    options: ['--method gptq', '--method awq'],
    needs: '--data',
    why: 'it is made from what layers read on samples',
    hint: 'add --data samples.npz, or use --method kquant',
  },
];
