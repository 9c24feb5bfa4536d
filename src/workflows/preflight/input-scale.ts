/** Samples whose values look as if a step of their preparation was left out: bytes for an input that was trained on normalised values, or one sample many times. */
import { basename } from 'node:path';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { constantOperand } from '../../quantize/constant-operand.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { InputValues } from '../../runtime/protocol.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';

/** Samples looked at, spread over the data. */
const LOOKED_AT = 16;
/** Evenly spread bytes have this standard deviation. */
const BYTES_DEVIATION = 74;
/** Standard deviation of what a first layer gives beyond which its input was meant to be smaller: layers are trained to give about 1. */
const LARGEST_DEVIATION = 15;
/** Calibration and evaluation data that differ by more were not prepared alike, where the larger is beyond what normalised values are. */
const LARGEST_RATIO = 8;
const LARGEST_NORMALISED = 32;

/** One sentence for each input whose values are not those the model, or the evaluation data, suggests, or never change; empty when all is well. */
export async function doubtsAboutScale(
  runtime: RuntimeHost,
  model: Model,
  dataPath: string,
  evalPath: string | undefined,
): Promise<string[]> {
  const look = async (path: string): Promise<Looked> => {
    const source = { kind: 'data', path } as const;
    const { values = [], count } = await runtime.request('samples', {
      source,
      inputs: inputSpecs(model),
      look: LOOKED_AT,
    });
    return { values, count };
  };
  const seen = evalPath === undefined ? [] : (await look(evalPath)).values;
  const evaluation = new Map(seen.map((each) => [each.name, each]));
  const looked = await look(dataPath);
  const doubts = looked.count > 1 ? looked.values.flatMap((each) => withoutVariety(each, basename(dataPath))) : [];
  for (const values of looked.values) {
    const other = evaluation.get(values.name);
    if (other && ratio(values, other) > LARGEST_RATIO) {
      doubts.push(
        `Input "${values.name}" has values ${range(values)} in ${basename(dataPath)} and ${range(other)} in ${basename(evalPath ?? '')}: prepare both in the same way.`,
      );
    } else if (areBytes(values) && expectsSmallValues(model, values.name)) {
      doubts.push(
        `Input "${values.name}" is FLOAT and has byte values ${range(values)} in ${basename(dataPath)}: they were probably not normalised as the first layer of the model expects (x / 255, minus the mean, divided by the deviation).`,
      );
    }
  }
  return doubts;
}

/** What was looked at, and how many samples there are. */
interface Looked {
  readonly values: readonly InputValues[];
  readonly count: number;
}

/** Samples that are one and the same say nothing of the values that others will have. */
function withoutVariety({ name, min, max, same }: InputValues, data: string): string[] {
  if (!same) return [];
  const what = min === max ? `is ${Number(min.toPrecision(3))} throughout` : 'has the same values in every sample of';
  const where = min === max ? `the samples of ${data} that were looked at` : `${data} that was looked at`;
  return [
    `Input "${name}" ${what} ${where}: ranges were measured on nothing else, and what other samples hold may be cut off.`,
  ];
}

const magnitude = ({ min, max }: InputValues): number => Math.max(Math.abs(min), Math.abs(max));
const range = ({ min, max }: InputValues): string =>
  `from ${Number(min.toPrecision(3))} to ${Number(max.toPrecision(3))}`;

function ratio(a: InputValues, b: InputValues): number {
  const [one, two] = [magnitude(a), magnitude(b)];
  return Math.min(one, two) === 0 || Math.max(one, two) < LARGEST_NORMALISED ? 1 : Math.max(one / two, two / one);
}

/** Whole numbers that take up more than a quarter of a byte. */
function areBytes({ min, max, integers }: InputValues): boolean {
  return integers && min >= 0 && max > 64 && max <= 255;
}

/** Operators that hand on all or some of the values as they are. */
const CARRIERS: ReadonlySet<string> = new Set([
  'Cast',
  'Concat',
  'Flatten',
  'Identity',
  'Pad',
  'Reshape',
  'Resize',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);
const MOST_VALUES = 50;

/** True when a first layer multiplies the input as it is by weights that would make huge values of bytes. */
function expectsSmallValues(model: Model, name: string): boolean {
  const queue = model.graph.inputs.filter((input) => input.name === name);
  const seen = new Set<Value>(queue);
  for (let value = queue.shift(); value && seen.size < MOST_VALUES; value = queue.shift()) {
    for (const { node, slot } of value.uses) {
      if (CARRIERS.has(node.opType) && node.outputs[0] && !seen.has(node.outputs[0])) {
        seen.add(node.outputs[0]);
        queue.push(node.outputs[0]);
      } else if (slot === 0 && node.domain === '' && (deviationOf(node) ?? 0) > LARGEST_DEVIATION) return true;
    }
  }
  return false;
}

/**
 * Standard deviation of what a layer gives for bytes that do not depend on each other, in units of what the normalization after it was
 * trained on where there is one: the median over its output channels.
 */
function deviationOf(node: Node): number | undefined {
  if (!(node.is('Conv') || node.is('Gemm') || node.is('MatMul'))) return undefined;
  const weight = constantOperand(node, 1)?.tensor;
  if (!weight || weight.rank < 2) return undefined;
  const norms = outputNorms(node, weight);
  const variance = trainedVariance(node.output(), norms.length);
  const deviations = norms.map((norm, channel) => {
    const trained = Math.sqrt(variance?.[channel] ?? 1);
    return trained > 0 ? (norm * BYTES_DEVIATION) / trained : 0;
  });
  return deviations.sort((a, b) => a - b)[deviations.length >> 1];
}

/** Root of the sum of squares of the weights of each output channel. */
function outputNorms(node: Node, weight: Tensor): number[] {
  const rows = node.is('Conv') || (node.is('Gemm') && node.int('transB', 0) !== 0);
  const channels = (rows ? weight.dims[0] : weight.dims.at(-1)) as number;
  const inner = rows ? elementCount(weight.dims.slice(1)) : 1;
  const values = weight.float32Array();
  const sums = new Float64Array(channels);
  for (const [index, value] of values.entries()) {
    const channel = Math.floor(index / inner) % channels;
    sums[channel] = (sums[channel] as number) + value * value;
  }
  return [...sums].map(Math.sqrt);
}

/** Variances of the BatchNormalization that alone reads `value`. */
function trainedVariance(value: Value, channels: number): Float32Array | undefined {
  const [use] = value.uses;
  if (value.uses.size !== 1 || !use?.node.is('BatchNormalization')) return undefined;
  const variance = constantTensor(use.node.input(4));
  return variance?.size === channels ? variance.float32Array() : undefined;
}
