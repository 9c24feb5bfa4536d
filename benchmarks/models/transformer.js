import { DataType } from '../../dist/tensor/dtype.js';
import { Tensor } from '../../dist/tensor/tensor.js';
import { GraphBuilder } from './graph-builder.js';

/** As BERT base (Devlin et al. 2018): 109 M parameters, 418 MiB. */
export const TRANSFORMER_FULL = { layers: 12, width: 768, hidden: 3072, heads: 12, vocabulary: 30522, positions: 512 };
export const TRANSFORMER_QUICK = { layers: 2, width: 128, hidden: 512, heads: 2, vocabulary: 3000, positions: 64 };

/** Standard deviation that BERT's weights start with. */
const DEVIATION = 0.02;

/**
 * An encoder written out in plain operators as exporters do: one MatMul and Add a projection, GELU from Erf,
 * attention in four dimensions. Inputs `ids` and `positions` int64[batch,sequence], output float[batch,sequence,width].
 */
export function transformer({ layers, width, hidden, heads, vocabulary, positions }) {
  const build = new GraphBuilder('transformer');
  const ids = build.input('ids', DataType.INT64, ['batch', 'sequence']);
  const at = build.input('positions', DataType.INT64, ['batch', 'sequence']);
  const one = build.constant('one', Tensor.float32([1], []));
  const half = build.constant('half', Tensor.float32([0.5], []));
  const root2 = build.constant('root2', Tensor.float32([Math.SQRT2], []));
  const scale = build.constant('scale', Tensor.float32([Math.sqrt(heads / width)], []));
  const splitShape = build.constant('split_shape', Tensor.int64([0, 0, heads, width / heads]));
  const joinShape = build.constant('join_shape', Tensor.int64([0, 0, width]));

  const linear = (name, x, from, to) => {
    const product = build.node('MatMul', name, [x, build.weight(`${name}.weight`, [from, to], DEVIATION)]);
    return build.node('Add', `${name}.add`, [product, build.weight(`${name}.bias`, [to], DEVIATION)]);
  };
  const norm = (name, x) =>
    build.node('LayerNormalization', name, [
      x,
      build.weight(`${name}.weight`, [width], DEVIATION, 1),
      build.weight(`${name}.bias`, [width], DEVIATION),
    ]);
  const splitHeads = (name, x, perm) =>
    build.node('Transpose', `${name}.transpose`, [build.node('Reshape', `${name}.split`, [x, splitShape])], { perm });

  const attention = (name, x) => {
    const query = splitHeads(`${name}.query`, linear(`${name}.query`, x, width, width), [0, 2, 1, 3]);
    const key = splitHeads(`${name}.key`, linear(`${name}.key`, x, width, width), [0, 2, 3, 1]);
    const value = splitHeads(`${name}.value`, linear(`${name}.value`, x, width, width), [0, 2, 1, 3]);
    const scores = build.node('Mul', `${name}.scale`, [build.node('MatMul', `${name}.scores`, [query, key]), scale]);
    const mixed = build.node('MatMul', `${name}.mix`, [build.node('Softmax', `${name}.softmax`, [scores]), value]);
    const joined = build.node('Transpose', `${name}.join`, [mixed], { perm: [0, 2, 1, 3] });
    return linear(`${name}.output`, build.node('Reshape', `${name}.merge`, [joined, joinShape]), width, width);
  };
  const gelu = (name, x) => {
    const erf = build.node('Erf', `${name}.erf`, [build.node('Div', `${name}.div`, [x, root2])]);
    const gate = build.node('Mul', `${name}.gate`, [x, build.node('Add', `${name}.add`, [erf, one])]);
    return build.node('Mul', `${name}.half`, [gate, half]);
  };

  const words = build.node('Gather', 'words', [build.weight('embeddings.word', [vocabulary, width], DEVIATION), ids]);
  const places = build.node('Gather', 'places', [
    build.weight('embeddings.position', [positions, width], DEVIATION),
    at,
  ]);
  let x = build.node('Add', 'embeddings', [words, places]);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer${layer}`;
    const attended = norm(
      `${name}.norm1`,
      build.node('Add', `${name}.residual1`, [x, attention(`${name}.attention`, x)]),
    );
    const up = gelu(`${name}.gelu`, linear(`${name}.up`, attended, width, hidden));
    const down = linear(`${name}.down`, up, hidden, width);
    x = norm(`${name}.norm2`, build.node('Add', `${name}.residual2`, [attended, down]));
  }
  build.output(x, DataType.FLOAT, ['batch', 'sequence', width]);
  return build.model;
}
