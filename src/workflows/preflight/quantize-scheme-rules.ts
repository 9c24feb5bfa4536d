import type { OptionRule } from './option-rule.js';

/** What goes with schemes of `quantize`. */
export const QUANTIZE_SCHEME_RULES: readonly OptionRule[] = [
  {
    commands: ['quantize'],
    options: ['--override', '--scheme'],
    needs: '--data',
    why: 'they are about static INT8, whose ranges are measured on samples',
    hint: 'add --data samples.npz, or use --exclude to keep layers in FP32',
  },
  {
    commands: ['quantize'],
    options: ['--override', '--scheme'],
    excludes: ['--mode dynamic', '--mode fp16', '--mode bf16', '--mode fp8', '--for tensorrt'],
    why: 'they are about static INT8 for integer kernels',
  },
  {
    commands: ['quantize'],
    options: ['--format qoperator'],
    needs: '--data',
    why: 'it is a form of static INT8, whose ranges are measured on samples',
    hint: 'add --data samples.npz',
  },
  {
    commands: ['quantize'],
    options: ['--format qoperator'],
    excludes: ['--mode dynamic', '--mode fp16', '--mode bf16', '--mode fp8', '--for tensorrt', '--for qnn'],
    why: 'it is a form of static INT8 for ONNX Runtime',
  },
  {
    commands: ['quantize'],
    options: ['--for qnn'],
    excludes: ['--mode dynamic'],
    why: 'QNN has no operators for dynamic INT8',
    hint: 'add --data samples.npz for static INT8',
  },
];
