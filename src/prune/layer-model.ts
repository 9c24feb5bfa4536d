import { attribute } from '../ir/attribute.js';
import { copyNodes, type ValueMapping } from '../ir/copy-nodes.js';
import { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { Value } from '../ir/value.js';
import { constantTensor } from '../ir/walk.js';
import { isFloat } from '../tensor/dtype.js';
import { Tensor } from '../tensor/tensor.js';

/** Constants from this size on are made when the model is loaded: how long a product takes does not depend on their values. */
const MADE_ELEMENTS = 256;

/** One layer by itself, to be timed: its computed inputs are inputs of the graph, of fixed sizes. */
export interface LayerModel {
  readonly model: Model;
  /** Equal for layers that do the same on tensors of the same sizes. */
  readonly signature: string;
}

/** A model of one node. @returns undefined where the size of an input is not known */
export function layerModel(node: Node): LayerModel | undefined {
  const source = node.graph.model;
  const model = new Model('layer');
  model.irVersion = source.irVersion;
  for (const [domain, version] of source.opsets) model.setOpset(domain, version);
  const mapping: ValueMapping = new Map();
  const parts = [`${node.domain}:${node.opType}`, attributesText(node)];
  for (const [slot, value] of node.inputs.entries()) {
    if (value === undefined) {
      parts.push('-');
      continue;
    }
    const tensor = constantTensor(value);
    const shape = tensor?.dims ?? fixedShape(value);
    if (shape === undefined) return undefined;
    const isMade = tensor !== undefined && isFloat(tensor.dataType) && tensor.size >= MADE_ELEMENTS;
    parts.push(`${shape.join('×')}${tensor === undefined ? '' : isMade ? 'c' : ` ${tensor.dataType}`}`);
    if (mapping.has(value)) continue;
    if (tensor === undefined) {
      const input = model.graph.newValue(`input_${slot}`);
      if (value.type?.kind === 'tensor') input.type = { ...value.type, shape };
      model.graph.addInput(input);
      mapping.set(value, input);
    } else mapping.set(value, isMade ? madeConstant(model, tensor) : model.graph.addInitializer(`c_${slot}`, tensor));
  }
  const [copy] = copyNodes([node], model.graph, mapping);
  for (const output of copy?.outputs ?? []) if (output) model.graph.addOutput(output);
  return { model, signature: parts.join(' ') };
}

/** A constant of one value, which ONNX Runtime computes once. */
function madeConstant(model: Model, tensor: Tensor): Value {
  const { graph } = model;
  return graph
    .addNode({
      opType: 'ConstantOfShape',
      inputs: [graph.addInitializer('shape', Tensor.int64(tensor.dims))],
      outputs: [{ name: model.freshName('constant') }],
      attributes: [attribute('value', oneOf(tensor))],
    })
    .output();
}

/** The first element, as a tensor of one. */
function oneOf(tensor: Tensor): Tensor {
  const width = tensor.byteLength / tensor.size;
  for (const chunk of tensor.data.chunks()) return Tensor.of(tensor.dataType, [1], chunk.slice(0, width));
  return Tensor.of(tensor.dataType, [1], new Uint8Array(width));
}

function fixedShape({ type }: Value): readonly number[] | undefined {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  return shape?.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined;
}

function attributesText(node: Node): string {
  return [...node.attributes.values()]
    .map(
      ({ name, value: { kind, value } }) =>
        `${name}=${typeof value === 'object' && 'byteLength' in value ? kind : String(value)}`,
    )
    .sort()
    .join(',');
}
