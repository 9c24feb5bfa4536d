import { DataType } from '../../dist/tensor/dtype.js';
import { GraphBuilder } from '../models/graph-builder.js';

/** Rows and features: enough work for a tenth of a millisecond. */
const ROWS = 64;
const FEATURES = 256;

/** Two matrix products around a Relu; its work grows with the width of the hidden layer. */
export function multilayerPerceptron(width) {
  const builder = new GraphBuilder('perceptron');
  const x = builder.input('x', DataType.FLOAT, [ROWS, FEATURES]);
  const hidden = builder.node('MatMul', 'up', [x, builder.weight('up_weight', [FEATURES, width], 0.05)]);
  const active = builder.node('Relu', 'relu', [hidden]);
  const y = builder.node('MatMul', 'down', [active, builder.weight('down_weight', [width, FEATURES], 0.05)]);
  builder.output(y, DataType.FLOAT, [ROWS, FEATURES]);
  return builder.model;
}
