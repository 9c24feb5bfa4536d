import { attribute } from '../../ir/attribute.js';
import type { Model } from '../../ir/model.js';
import type { Value } from '../../ir/value.js';
import { Tensor } from '../../tensor/tensor.js';
import { rankOf } from './channel-axis.js';

/** A value whose channels are looked at. */
export interface ObservedChannels {
  readonly name: string;
  readonly axis: number;
}

/** Names of outputs with one element a channel, and one with how many elements the value has. */
export interface ChannelOutputs extends ObservedChannels {
  /** Largest value, and largest of the negated values: to be combined by their maximum. */
  readonly max: string;
  readonly negatedMin: string;
  /** Σx²: to be summed, as the number of elements. */
  readonly squares: string;
  readonly elements: string;
}

/** A copy of the model that gives figures of the channels of values in place of its own outputs. Values of unknown rank are left out. */
export function channelModel(
  model: Model,
  wanted: readonly ObservedChannels[],
): { readonly model: Model; readonly outputs: readonly ChannelOutputs[] } {
  const copy = model.clone();
  const { graph } = copy;
  while (graph.outputs.length > 0) graph.removeOutput(graph.outputs.length - 1);
  const opset = copy.opset();
  const node = (opType: string, inputs: readonly Value[]): Value =>
    graph.addNode({ opType, inputs, outputs: [{ name: copy.freshName(`channel_${opType}`) }] }).output();
  const reduce = (opType: 'ReduceMax' | 'ReduceSum', value: Value, axes: readonly number[]): Value => {
    const asInput = opset >= (opType === 'ReduceSum' ? 13 : 18);
    const inputs = asInput
      ? [value, graph.addInitializer(copy.freshName('channel_axes'), Tensor.int64(axes))]
      : [value];
    const attributes = [attribute('keepdims', 0), ...(asInput ? [] : [attribute('axes', axes)])];
    return graph
      .addNode({ opType, inputs, outputs: [{ name: copy.freshName(`channel_${opType}`) }], attributes })
      .output();
  };
  const outputs = wanted.flatMap(({ name, axis }): ChannelOutputs[] => {
    const value = graph.values.get(name);
    const rank = value && rankOf(value);
    if (!value || rank === undefined) return [];
    const axes = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis);
    const made = [
      reduce('ReduceMax', value, axes),
      reduce('ReduceMax', node('Neg', [value]), axes),
      reduce('ReduceSum', node('Mul', [value, value]), axes),
      node('Size', [value]),
    ];
    for (const each of made) graph.addOutput(each);
    const [max, negatedMin, squares, elements] = made.map((each) => each.name) as [string, string, string, string];
    return [{ name, axis, max, negatedMin, squares, elements }];
  });
  return { model: copy, outputs };
}
