/**
 * Operators of ai.onnx that TensorRT's ONNX parser imports, by the version that brought them. Sources: `DEFINE_BUILTIN_OP_IMPORTER` in
 * `builtin_op_importers.cpp` and `onnxOpImporters.cpp` of onnx-tensorrt, branches 8.0-GA, 8.2-GA, 8.4-GA, 8.5-GA, 8.6-GA, 9.3,
 * 10.0-GA and 10.1-GA; docs/operators.md of TensorRT 10.15; CHANGELOG.md of NVIDIA/TensorRT up to 11.1 and its release notes up to
 * 11.5.
 */
const BY_VERSION: readonly (readonly [since: string, operators: string])[] = [
  [
    '8.0',
    'Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant ' +
      'ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp Expand EyeLike ' +
      'Flatten Floor GRU Gather GatherElements Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual HardSigmoid ' +
      'Identity If ImageScaler InstanceNormalization LRN LSTM LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool ' +
      'MatMul Max MaxPool Mean Min Mul Neg NonMaxSuppression Not Or PRelu Pad ParametricSoftplus Pow QuantizeLinear RNN RandomUniform ' +
      'RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ' +
      'ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence ScaledTanh Scan Selu Shape Sigmoid Sin Sinh Size Slice Softmax ' +
      'Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Unsqueeze Upsample Where',
  ],
  ['8.2', 'Einsum GatherND IsNaN Round Scatter ScatterElements ScatterND Sign'],
  ['8.4', 'HardSwish Shrink Xor'],
  ['8.5', 'GridSample MeanVarianceNormalization Mod NonZero OneHot RandomNormal RandomNormalLike RoiAlign Trilu'],
  ['8.6', 'GroupNormalization IsInf LayerNormalization'],
  ['9.0', 'CastLike'],
  ['9.2', 'Hardmax'],
  ['10.0', 'Gelu Mish'],
  ['10.1', 'DeformConv'],
  ['10.4', 'BlackmanWindow HammingWindow HannWindow'],
  ['10.5', 'STFT'],
  ['10.14', 'Attention'],
  ['10.15', 'RMSNormalization RotaryEmbedding TensorScatter'],
  ['11.0', 'Swish'],
  ['11.2', 'DFT'],
];

/** First minor version that imports an operator, by its name. */
export const OPERATOR_SINCE: ReadonlyMap<string, string> = new Map(
  BY_VERSION.flatMap(([since, operators]) => operators.split(' ').map((name) => [name, since] as const)),
);

/** Newest ai.onnx opset by version; a newer model may be read all the same. Source: docs/operators.md at each branch. */
export const NEWEST_OPSET: readonly (readonly [since: string, opset: number])[] = [
  ['8.0', 13],
  ['8.4', 17],
  ['9.0', 19],
  ['10.0', 20],
  ['10.6', 22],
  ['10.15', 24],
  ['11.0', 25],
];

/** The oldest opset that the parser supports officially. */
export const OLDEST_OPSET = 9;

/** ONNX types by the version that takes them; what is in no row is never taken. Source: as above. */
export const TYPE_SINCE: ReadonlyMap<string, string> = new Map([
  ['float', '8.0'],
  ['float16', '8.0'],
  ['double', '8.0'],
  ['int8', '8.0'],
  ['int32', '8.0'],
  ['int64', '8.0'],
  ['bool', '8.0'],
  ['uint8', '8.5'],
  ['bfloat16', '9.0'],
  ['float8e4m3fn', '9.0'],
  ['int4', '10.0'],
  ['float4e2m1', '10.8'],
]);

/** Before this version INT64 is narrowed to INT32, values beyond clamped. */
export const INT64_SINCE = '9.0';

/** Before this version the parser does not know local functions. */
export const FUNCTIONS_SINCE = '9.0';

/** Operators whose output sizes depend on data; the engine allocates for the largest case. */
export const DATA_DEPENDENT: ReadonlySet<string> = new Set(['NonZero', 'NonMaxSuppression', 'Compress', 'Unique']);
