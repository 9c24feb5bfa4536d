import type { Node } from '../ir/node.js';
import { constantTensor, walkGraphs } from '../ir/walk.js';
import { opSchema } from './schema.js';

/** Facts about operators of the default domain that more than one pass needs; what has no row has none of the traits. */

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/));

/** `f(a, b) = f(b, a)`, bit for bit. For the variadic ones any order of inputs. */
export const COMMUTATIVE: ReadonlySet<string> = set(
  'Add Mul Max Min And Or Xor Equal BitwiseAnd BitwiseOr BitwiseXor Sum Mean',
);

/** Another result each time, or one that depends on a seed. */
export const NONDETERMINISTIC: ReadonlySet<string> = set(
  'RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial Bernoulli',
);

/**
 * Operators whose first output holds elements of their first input, moved, repeated or dropped, and no other values.
 * A quantized tensor may pass through with its scale and zero point.
 */
export const DATA_MOVEMENT: ReadonlySet<string> = set(
  `Reshape Transpose Squeeze Unsqueeze Flatten Identity Slice Split Gather GatherElements GatherND Expand Tile
   DepthToSpace SpaceToDepth ReverseSequence Compress Unique`,
);

/** Operators that give the greatest or least of elements that are there: a range in is a range out. */
export const ORDER_PRESERVING: ReadonlySet<string> = set('MaxPool GlobalMaxPool ReduceMax ReduceMin MaxRoiPool TopK');

/** Elementwise operators of one data input: output 0 has the shape of input 0, and each element depends on its own. */
export const ELEMENTWISE_UNARY: ReadonlySet<string> = set(
  `Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid
   HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh
   Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu`,
);

/** Elementwise operators with broadcasting. */
export const ELEMENTWISE_BROADCAST: ReadonlySet<string> = set(
  `Add Sub Mul Div Pow Mod And Or Xor Equal Greater Less GreaterOrEqual LessOrEqual BitShift BitwiseAnd BitwiseOr
   BitwiseXor Max Min Sum Mean Where PRelu`,
);

/** Operators that look at the shape of their input alone, so that its values may change freely. */
export const SHAPE_ONLY: ReadonlySet<string> = set('Shape Size');

/** Multiply-accumulate operators: where the time of most models goes, and where integer arithmetic pays. */
export const MAC_OPERATORS: ReadonlySet<string> = set('Conv ConvTranspose Gemm MatMul LSTM GRU RNN Einsum Attention');

/**
 * What ONNX Runtime's CPU provider does with an operator between DequantizeLinear and QuantizeLinear:
 * `fused` it has an 8-bit kernel that replaces the group (QLinearConv and kin); `transparent` it runs the operator on
 * the 8-bit tensor and drops the pair, when scale and zero point are the same before and after (ArgMax: only the one
 * before).
 * Anything else is computed in float between the two. Source: onnxruntime qdq_selector_action_transformer.cc.
 */
export const INTEGER_KERNEL: ReadonlyMap<string, 'fused' | 'transparent'> = new Map([
  ...[
    'Conv',
    'MatMul',
    'Gemm',
    'Add',
    'Mul',
    'Concat',
    'Sigmoid',
    'LeakyRelu',
    'Softmax',
    'AveragePool',
    'GlobalAveragePool',
    'Where',
  ].map((name) => [name, 'fused'] as const),
  ...[
    'ArgMax',
    'Flatten',
    'Gather',
    'GatherElements',
    'MaxPool',
    'Expand',
    'ReduceMax',
    'ReduceMin',
    'Resize',
    'Reshape',
    'Slice',
    'Split',
    'Squeeze',
    'Tile',
    'Transpose',
    'Unsqueeze',
  ].map((name) => [name, 'transparent'] as const),
]);

/** Which version of an operator is meant does not change whether it is deterministic, so the newest is asked. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * True when a node gives the same outputs for the same inputs. Dropout does outside training; a node with subgraphs is
 * as deterministic as what is inside; an operator without schema (a local function, a custom one) is not trusted.
 */
export function isDeterministic(node: Node): boolean {
  for (const { graph } of node.subgraphs())
    for (const body of walkGraphs(graph))
      for (const inner of body.nodes) if (!isDeterministicAlone(inner)) return false;
  return isDeterministicAlone(node);
}

function isDeterministicAlone(node: Node): boolean {
  if (node.is('Dropout')) return !isTrainingDropout(node);
  const schema = opSchema(node.domain, node.opType, NEWEST);
  return schema !== undefined && schema.determinism !== 'nondeterministic';
}

/** True unless Dropout certainly runs in inference mode: `training_mode` (opset 12) or `is_test` (before opset 7) may ask for more. */
export function isTrainingDropout(node: Node): boolean {
  const opset = node.graph.model.opset('');
  if (opset >= 12) {
    const mode = node.input(2);
    if (!mode) return false;
    const tensor = constantTensor(mode);
    return tensor?.size !== 1 || tensor.bytes()[0] !== 0;
  }
  return opset < 7 && node.int('is_test', 0) === 0;
}
