import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import type { ScaledConstant } from '../../../quantize/repair/channel-axis.js';
import type { ScaledReader, ScaleGroup } from '../../../quantize/repair/scale-groups.js';
import { scaledTensor } from '../../../tensor/scaled-tensor.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant, replaceConstantInput } from '../../constants.js';

/** Divides the channels of a group by their factors where they are written and multiplies them where they are read, in place. */
export function scaleGroup({ constants }: ScaleGroup, factors: Float64Array): void {
  const inverse = factors.map((factor) => 1 / factor);
  for (const { divides, ...constant } of constants) scaleConstant(constant, divides ? inverse : factors);
}

/**
 * Puts a product between a value and the layers that read it, which takes the factors out of its channels; the weights of these layers
 * take them in. In place.
 */
export function scaleBefore(value: Value, readers: readonly ScaledReader[], factors: Float64Array): void {
  const { graph } = value;
  const [first] = readers;
  if (!first) return;
  const rank = value.type?.kind === 'tensor' ? (value.type.shape?.length ?? 1) : 1;
  const dims = Array.from({ length: rank - first.channelAxis }, (_, at) => (at === 0 ? factors.length : 1));
  const inverse = Tensor.float32(
    Float32Array.from(factors, (factor) => 1 / factor),
    dims,
  );
  const anchor = earliest(value, readers);
  const constant = addConstant(graph, graph.model.freshName(`${value.name}_smoothing`), inverse, anchor);
  const product = graph
    .addNode(
      {
        opType: 'Mul',
        name: `${value.name}_Smoothing`,
        inputs: [value, constant],
        outputs: [
          { name: graph.model.freshName(`${value.name}_smoothed`), ...(value.type ? { type: value.type } : {}) },
        ],
        attributes: [],
      },
      anchor,
    )
    .output();
  for (const { node, slot, axis } of readers) {
    scaleConstant({ node, slot, axis }, factors);
    node.setInput(0, product);
  }
}

function earliest(value: Value, readers: readonly ScaledReader[]) {
  const wanted = new Set(readers.map(({ node }) => node));
  for (const node of value.graph.nodes) if (wanted.has(node)) return node;
  return undefined;
}

function scaleConstant({ node, slot, axis }: Omit<ScaledConstant, 'divides'>, factors: Float64Array): void {
  const tensor = constantTensor(node.input(slot));
  if (!tensor) return;
  const inner = tensor.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  replaceConstantInput(node, slot, scaledTensor(tensor, { factors, inner }));
}
