import { attribute } from '../../dist/ir/attribute.js';
import { Model } from '../../dist/ir/model.js';
import { tensorType } from '../../dist/ir/type.js';
import { randomTensor } from './random-tensor.js';

/** Opset of the made models: the oldest that has LayerNormalization. */
const OPSET = 17;

/** A model in the making: nodes by operator and inputs, weights by shape, each with a seed of its own. */
export class GraphBuilder {
  #seed = 0;

  constructor(name) {
    this.model = new Model(name);
    this.model.producerName = 'serve-opt benchmarks';
    this.model.setOpset('', OPSET);
  }

  input(name, dataType, shape) {
    const value = this.model.graph.newValue(name, tensorType(dataType, shape));
    this.model.graph.addInput(value);
    return value;
  }

  output(value, dataType, shape) {
    value.type = tensorType(dataType, shape);
    this.model.graph.addOutput(value);
  }

  weight(name, dims, deviation, mean = 0) {
    this.#seed++;
    return this.model.graph.addInitializer(name, randomTensor(dims, { seed: this.#seed, deviation, mean }));
  }

  constant(name, tensor) {
    return this.model.graph.addInitializer(name, tensor);
  }

  /** Adds a node named `name` and gives its only output, `<name>_out` unless said otherwise. */
  node(opType, name, inputs, attributes = {}, outputName = `${name}_out`) {
    const node = this.model.graph.addNode({
      opType,
      name,
      inputs,
      outputs: [{ name: outputName }],
      attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return node.output();
  }
}
