/** What TensorRT's ONNX parser refuses of operators that it imports. Source: docs/operators.md of onnx-tensorrt, 8.0 to 10.15. */
import type { Node } from '../../ir/node.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';

export interface ParserLimit {
  readonly operators: readonly string[];
  /** Versions that it holds for: before this one. Every version where absent. */
  readonly until?: string;
  /** A clause, or undefined where the node keeps to it. */
  readonly breaks: (node: Node) => string | undefined;
  readonly mend: string;
}

const hasDilations = (node: Node): boolean => (node.ints('dilations') ?? []).some((each) => each !== 1);
const isUsed = (node: Node, index: number): boolean => {
  const output = node.outputs[index];
  return output !== undefined && (output.uses.size > 0 || output.isGraphOutput);
};
const isConstant = (node: Node, slot: number): boolean =>
  node.input(slot) === undefined || constantTensor(node.input(slot)) !== undefined;

export const PARSER_LIMITS: readonly ParserLimit[] = [
  {
    operators: ['MaxPool', 'AveragePool', 'LpPool'],
    breaks: (node) => (hasDilations(node) ? 'it has dilations' : undefined),
    mend: 'export the model without dilated pooling',
  },
  {
    operators: ['MaxPool'],
    breaks: (node) => (isUsed(node, 1) ? 'its output of indices is used' : undefined),
    mend: 'export the model without the indices of MaxPool',
  },
  {
    operators: ['LayerNormalization'],
    breaks: (node) => (isUsed(node, 1) || isUsed(node, 2) ? 'its outputs of mean and deviation are used' : undefined),
    mend: 'use only the first output of LayerNormalization',
  },
  {
    operators: ['BatchNormalization'],
    breaks: (node) => (node.int('training_mode', 0) !== 0 ? 'it is in training mode' : undefined),
    mend: 'export the model in evaluation mode',
  },
  {
    operators: ['LSTM'],
    breaks: (node) =>
      node.int('layout', 0) !== 0 || node.int('input_forget', 0) !== 0 ? 'it has layout or input_forget' : undefined,
    mend: 'export the model with the default layout',
  },
  {
    operators: ['Resize'],
    breaks: (node) => {
      const mode = node.string('mode', 'nearest');
      if (node.int('antialias', 0) !== 0) return 'it has antialias';
      return mode === 'cubic' ? 'its mode is cubic' : undefined;
    },
    mend: 'export the model with linear or nearest resizing',
  },
  {
    operators: ['CumSum'],
    until: '10.8',
    breaks: (node) => (isConstant(node, 1) ? undefined : 'its axis is not constant'),
    mend: 'serve-opt optimize MODEL folds constants',
  },
  {
    operators: ['OneHot'],
    breaks: (node) => (isConstant(node, 1) ? undefined : 'its depth is not constant'),
    mend: 'serve-opt optimize MODEL folds constants',
  },
  {
    operators: ['Squeeze', 'Unsqueeze'],
    until: '10.7',
    breaks: (node) => (isConstant(node, 1) ? undefined : 'its axes are not constant'),
    mend: 'serve-opt optimize MODEL folds constants',
  },
  {
    operators: ['NonMaxSuppression'],
    until: '8.5',
    breaks: (node) => ([2, 3, 4].every((slot) => isConstant(node, slot)) ? undefined : 'its limits are not constant'),
    mend: 'serve-opt optimize MODEL folds constants',
  },
  {
    operators: ['Conv', 'ConvTranspose'],
    until: '8.2',
    breaks: (node) =>
      isConstant(node, 1) || node.input(1)?.producer?.is('DequantizeLinear') ? undefined : 'its weight is not constant',
    mend: 'serve-opt optimize MODEL folds constants',
  },
  {
    operators: ['Constant'],
    breaks: (node) =>
      ['sparse_value', 'value_string', 'value_strings'].find((name) => node.attributes.has(name)) === undefined
        ? undefined
        : 'it holds strings or a sparse tensor',
    mend: 'export the model without strings and sparse tensors',
  },
  {
    operators: ['Dropout'],
    breaks: (node) => {
      const mode = constantTensor(node.input(2));
      const trains = mode?.dataType === DataType.BOOL && mode.bytes()[0] === 1;
      return trains ? 'it is in training mode' : undefined;
    },
    mend: 'export the model in evaluation mode',
  },
];
