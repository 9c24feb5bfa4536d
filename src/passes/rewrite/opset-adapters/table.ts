/**
 * Every change of ai.onnx between operator sets 7 and 21 that asks something of a node. A version of an operator that is
 * not here only took more types or gained optional attributes and inputs whose defaults mean what was meant before
 * (onnx docs/Changelog.md); a test compares this table with the operator schemas.
 */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import { DataType } from '../../../tensor/dtype.js';
import type { OpsetAdapter } from './adapter.js';
import { movedAttributes } from './moved-attributes.js';
import { NORMALIZATION_ADAPTERS } from './normalization.js';
import { RESIZE_ADAPTERS } from './resize.js';
import { SOFTMAX_ADAPTERS } from './softmax.js';

const REDUCTIONS_UNTIL_18 = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'];

const axesInput = (opType: string, version: number, required = false): OpsetAdapter =>
  movedAttributes(opType, version, [{ name: 'axes', slot: 1, form: 'list', required }]);

const dropoutRatio = movedAttributes('Dropout', 12, [{ name: 'ratio', slot: 1, form: 'float' }]);

const GRID_SAMPLE_MODES = new Map([
  ['bilinear', 'linear'],
  ['bicubic', 'cubic'],
]);

const SINGLE_ADAPTERS: readonly OpsetAdapter[] = [
  {
    opType: 'Scan',
    version: 9,
    check: () => 'Scan lost its batch dimension and sequence lengths',
    apply: () => {},
  },
  {
    opType: 'Scatter',
    version: 11,
    renames: 'ScatterElements',
    apply: (node) => {
      node.opType = 'ScatterElements';
    },
  },
  {
    // The mask had the type of the data before, is BOOL since, and its content in inference was left open until 12.
    opType: 'Dropout',
    version: 10,
    check: maskInUse,
    apply: (node) => {
      const mask = node.outputs[1];
      if (mask?.type) mask.type = tensorType(DataType.BOOL, mask.type.kind === 'tensor' ? mask.type.shape : undefined);
    },
  },
  { ...dropoutRatio, check: (node) => maskInUse(node) ?? dropoutRatio.check?.(node) },
  {
    opType: 'RoiAlign',
    version: 16,
    apply: (node) => {
      const mode = 'coordinate_transformation_mode';
      if (!node.attributes.has(mode)) node.setAttribute(attribute(mode, 'output_half_pixel'));
    },
  },
  {
    opType: 'Split',
    version: 18,
    apply: (node) => {
      if (!node.input(1)) node.setAttribute(attribute('num_outputs', node.outputs.length));
    },
  },
  {
    opType: 'AveragePool',
    version: 19,
    check: (node) =>
      node.int('ceil_mode', 0) === 1 && node.int('count_include_pad', 0) === 1
        ? 'the divisor at the border changed for ceil_mode with count_include_pad'
        : undefined,
    apply: () => {},
  },
  {
    opType: 'GridSample',
    version: 20,
    apply: (node) => {
      const mode = GRID_SAMPLE_MODES.get(node.string('mode', 'bilinear'));
      if (mode) node.setAttribute(attribute('mode', mode));
    },
  },
];

function maskInUse(node: Node): string | undefined {
  const mask = node.outputs[1];
  return mask && (mask.uses.size > 0 || mask.isGraphOutput) ? 'its mask output is used' : undefined;
}

/** All adapters, in no particular order. */
export const OPSET_ADAPTERS: readonly OpsetAdapter[] = [
  movedAttributes('Slice', 10, [
    { name: 'starts', slot: 1, form: 'list', required: true },
    { name: 'ends', slot: 2, form: 'list', required: true },
    { name: 'axes', slot: 3, form: 'list' },
  ]),
  movedAttributes('TopK', 10, [{ name: 'k', slot: 1, form: 'vector', required: true }]),
  movedAttributes('Clip', 11, [
    { name: 'min', slot: 1, form: 'data' },
    { name: 'max', slot: 2, form: 'data' },
  ]),
  movedAttributes('Pad', 11, [
    { name: 'pads', slot: 1, form: 'list', required: true },
    { name: 'value', slot: 2, form: 'data' },
  ]),
  axesInput('Squeeze', 13),
  axesInput('Unsqueeze', 13, true),
  axesInput('ReduceSum', 13),
  movedAttributes('Split', 13, [{ name: 'split', slot: 1, form: 'list' }]),
  ...REDUCTIONS_UNTIL_18.map((name) => axesInput(`Reduce${name}`, 18)),
  movedAttributes('DFT', 20, [{ name: 'axis', slot: 2, form: 'scalar', default: 1 }]),
  ...SINGLE_ADAPTERS,
  ...SOFTMAX_ADAPTERS,
  ...RESIZE_ADAPTERS,
  ...NORMALIZATION_ADAPTERS,
];

/** The adapter of an operator at a version, or undefined where the version asks nothing. */
export function opsetAdapter(opType: string, version: number): OpsetAdapter | undefined {
  return OPSET_ADAPTERS.find((adapter) => adapter.opType === opType && adapter.version === version);
}
