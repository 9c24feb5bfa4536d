import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { formatType } from '../../src/ir/type.js';
import { inferTypes } from '../../src/ops/infer-types.js';

/** The inferred types of named values, with outputs declared as unknown. */
function infer(text: string, names: readonly string[]) {
  const model = parseModel(text);
  const report = inferTypes(model);
  return { model, report, types: names.map((name) => formatType(model.graph.values.get(name)?.type)) };
}

const model = (opset: number, inputs: string, body: string, outputs = 'float[] out') =>
  `<ir_version: 10, opset_import: ["": ${opset}, "ai.onnx.ml": 3, "com.microsoft": 1]>
   net (${inputs}) => (${outputs}) { ${body} }`;

type Row = readonly [title: string, opset: number, inputs: string, body: string, want: string];

const ROWS: readonly Row[] = [
  [
    'Conv with stride and symbolic height',
    17,
    'float[n,3,h,32] x, float[8,3,3,3] w',
    't = Conv<pads=[1,1,1,1],strides=[2,2]>(x, w)',
    'float[n,8,floor((h+1)/2),16]',
  ],
  [
    'Conv SAME_UPPER',
    17,
    'float[1,3,7,h] x, float[8,3,3,3] w',
    't = Conv<auto_pad="SAME_UPPER",strides=[2,2]>(x, w)',
    'float[1,8,4,floor((h+1)/2)]',
  ],
  [
    'grouped dilated Conv',
    11,
    'float[1,4,10] x, float[8,1,3] w',
    't = Conv<group=4,dilations=[2]>(x, w)',
    'float[1,8,6]',
  ],
  [
    'ConvTranspose',
    11,
    'float[1,4,h] x, float[4,2,3] w',
    't = ConvTranspose<strides=[2],output_padding=[1],pads=[1,1]>(x, w)',
    'float[1,2,2*h]',
  ],
  [
    'MaxPool in ceil mode leaves out a window in the padding',
    17,
    'float[1,1,4,4] x',
    't = MaxPool<kernel_shape=[1,1],strides=[2,2],ceil_mode=1>(x)',
    'float[1,1,2,2]',
  ],
  ['GlobalAveragePool', 17, 'float[n,8,h,w] x', 't = GlobalAveragePool(x)', 'float[n,8,1,1]'],
  ['MatMul broadcasts batches', 17, 'float[b,1,s,64] x, float[12,64,32] w', 't = MatMul(x, w)', 'float[b,12,s,32]'],
  ['MatMul with a vector', 17, 'float[b,64] x, float[64] w', 't = MatMul(x, w)', 'float[b]'],
  [
    'Gemm with both transposed',
    17,
    'float[64,b] x, float[10,64] w',
    't = Gemm<transA=1,transB=1>(x, w)',
    'float[b,10]',
  ],
  ['Add with broadcasting', 17, 'float[b,s,768] x, float[768] y', 't = Add(x, y)', 'float[b,s,768]'],
  ['Add of unlike symbols', 17, 'float[a,4] x, float[b,4] y', 't = Add(x, y)', 'float[?,4]'],
  ['Add of opset 6 takes the shape of A', 6, 'float[a,4] x, float[4] y', 't = Add<broadcast=1>(x, y)', 'float[a,4]'],
  ['comparison gives bool', 17, 'float[a] x, float[a] y', 't = Less(x, y)', 'bool[a]'],
  ['Where', 17, 'bool[a,1] c, int32[4] x, int32[] y', 't = Where(c, x, y)', 'int32[]'],
  ['Cast', 17, 'float[a] x', 't = Cast<to=10>(x)', 'float16[a]'],
  [
    'Reshape keeps, copies and fills',
    17,
    'float[b,s,768] x',
    'd = Constant<value_ints=[0,-1,12,64]>() t = Reshape(x, d)',
    'float[b,s,12,64]',
  ],
  [
    'Reshape with zeros allowed',
    17,
    'float[0,3] x',
    'd = Constant<value_ints=[3,0]>() t = Reshape<allowzero=1>(x, d)',
    'float[3,0]',
  ],
  [
    'Reshape to a size that is no factor of the elements, so that a 0 may mean "copy"',
    17,
    'float[s,1] x, float[s,m] y',
    'd = Shape(y) t = Reshape(x, d)',
    'float[s,?]',
  ],
  [
    'Reshape to a product of the sizes',
    17,
    'float[b,12,s,32] x, float["12*b",s,32] y',
    'd = Shape(y) t = Reshape(x, d)',
    'float[12*b,s,32]',
  ],
  [
    'Mod by fmod has the sign of the dividend',
    17,
    'float x',
    'a = Constant<value_ints=[7]>() b = Constant<value_ints=[-3]>() c = Mod<fmod=1>(a, b) t = ConstantOfShape(c)',
    'float[1]',
  ],
  [
    'Pow of whole numbers only',
    17,
    'float x',
    'a = Constant<value_ints=[3]>() b = Constant<value_ints=[2]>() c = Pow(a, b) t = ConstantOfShape(c)',
    'float[9]',
  ],
  ['Reshape of opset 1', 1, 'float[2,3] x', 't = Reshape<shape=[3,-1]>(x)', 'float[3,2]'],
  ['Reshape by an unknown list of known length', 17, 'float[2,3] x, int64[3] d', 't = Reshape(x, d)', 'float[?,?,?]'],
  ['Transpose', 17, 'float[a,b,3] x', 't = Transpose<perm=[2,0,1]>(x)', 'float[3,a,b]'],
  ['Transpose reverses without perm', 17, 'float[a,b,3] x', 't = Transpose(x)', 'float[3,b,a]'],
  ['Flatten', 17, 'float[n,3,h,2] x', 't = Flatten(x)', 'float[n,6*h]'],
  ['Flatten from a negative axis', 17, 'float[n,3,2] x', 't = Flatten<axis=-1>(x)', 'float[3*n,2]'],
  ['Squeeze by attribute', 11, 'float[1,a,1] x', 't = Squeeze<axes=[0]>(x)', 'float[a,1]'],
  ['Squeeze by input', 13, 'float[1,a,1] x', 'd = Constant<value_ints=[-1]>() t = Squeeze(x, d)', 'float[1,a]'],
  ['Squeeze of everything with a symbol inside', 13, 'float[1,a,1] x', 't = Squeeze(x)', 'float[]'],
  ['Unsqueeze by attribute', 11, 'float[a] x', 't = Unsqueeze<axes=[0,2]>(x)', 'float[1,a,1]'],
  ['Unsqueeze by input', 13, 'float[a] x', 'd = Constant<value_ints=[-1]>() t = Unsqueeze(x, d)', 'float[a,1]'],
  ['Concat adds symbols', 17, 'float[b,past,4] x, float[b,seq,4] y', 't = Concat<axis=1>(x, y)', 'float[b,past+seq,4]'],
  ['Split by attribute', 11, 'float[6,a] x', 't, u = Split<axis=0,split=[4,2]>(x)', 'float[4,a]'],
  ['Split into equal parts', 17, 'float[a,6] x', 't, u, v = Split<axis=-1>(x)', 'float[a,2]'],
  ['Split with a smaller last part', 18, 'float[5] x', 'u, v, t = Split<num_outputs=3>(x)', 'float[1]'],
  ['Slice of opset 9', 9, 'float[10,a] x', 't = Slice<starts=[2],ends=[-1],axes=[0]>(x)', 'float[7,a]'],
  [
    'Slice to the end of a symbol',
    17,
    'float[a,s] x',
    'z = Constant<value_ints=[0]>() e = Constant<value_ints=[9223372036854775807]>() o = Constant<value_ints=[1]>() t = Slice(x, z, e, o)',
    'float[a,s]',
  ],
  [
    'Slice that may come out empty',
    17,
    'float[a,s] x',
    'z = Constant<value_ints=[1]>() e = Constant<value_ints=[9223372036854775807]>() o = Constant<value_ints=[1]>() t = Slice(x, z, e, o)',
    'float[a,max(0,s - 1)]',
  ],
  [
    'Slice backwards with a step',
    17,
    'float[10] x',
    's = Constant<value_ints=[-1]>() e = Constant<value_ints=[-11]>() a = Constant<value_ints=[0]>() p = Constant<value_ints=[-3]>() t = Slice(x, s, e, a, p)',
    'float[4]',
  ],
  ['Gather', 17, 'float[v,64] x, int64[b,s] i', 't = Gather(x, i)', 'float[b,s,64]'],
  [
    'GatherND with batch dimensions',
    17,
    'float[2,3,4] x, int64[2,1] i',
    't = GatherND<batch_dims=1>(x, i)',
    'float[2,4]',
  ],
  ['GatherElements', 17, 'float[3,4] x, int64[a,2] i', 't = GatherElements<axis=1>(x, i)', 'float[a,2]'],
  ['Pad by attribute', 10, 'float[a,4] x', 't = Pad<pads=[0,1,0,2]>(x)', 'float[a,7]'],
  [
    'Pad by input with axes',
    18,
    'float[a,4] x',
    'p = Constant<value_ints=[1,2]>() c = Constant<value_float=0.0>() d = Constant<value_ints=[0]>() t = Pad(x, p, c, d)',
    'float[a+3,4]',
  ],
  [
    'Resize by scales',
    13,
    'float[1,3,h,5] x',
    's = Constant<value_floats=[1.0,1.0,2.0,0.5]>() t = Resize(x, , s)',
    'float[1,3,2*h,2]',
  ],
  [
    'Resize by sizes',
    13,
    'float[n,3,4,5] x',
    's = Constant<value_ints=[1,3,8,9]>() t = Resize(x, , , s)',
    'float[1,3,8,9]',
  ],
  ['ReduceMean by attribute', 17, 'float[b,s,4] x', 't = ReduceMean<axes=[-1]>(x)', 'float[b,s,1]'],
  [
    'ReduceMean by input, dropping axes',
    18,
    'float[b,s,4] x',
    'a = Constant<value_ints=[1]>() t = ReduceMean<keepdims=0>(x, a)',
    'float[b,4]',
  ],
  [
    'ReduceSum of nothing does nothing when asked',
    13,
    'float[b,s] x',
    't = ReduceSum<noop_with_empty_axes=1>(x)',
    'float[b,s]',
  ],
  ['ArgMax', 17, 'float[b,10] x', 't = ArgMax<axis=1,keepdims=0>(x)', 'int64[b]'],
  ['TopK by attribute', 1, 'float[b,10] x', 't, i = TopK<k=3>(x)', 'float[b,3]'],
  ['Shape', 17, 'float[b,10] x', 't = Shape(x)', 'int64[2]'],
  ['Expand', 17, 'float[1,4] x, float[b,4] y', 's = Shape(y) t = Expand(x, s)', 'float[b,4]'],
  ['Tile', 17, 'float[b,4] x', 'r = Constant<value_ints=[2,3]>() t = Tile(x, r)', 'float[2*b,12]'],
  [
    'Range over a size',
    17,
    'float[s] x',
    'z = Constant<value_int=0>() o = Constant<value_int=1>() n = Size(x) t = Range(z, n, o)',
    'int64[s]',
  ],
  ['OneHot', 17, 'int64[b] x, float[2] v', 'd = Constant<value_int=10>() t = OneHot(x, d, v)', 'float[b,10]'],
  ['ConstantOfShape', 17, 'float[b,4] x', 's = Shape(x) t = ConstantOfShape(s)', 'float[b,4]'],
  ['NonZero', 17, 'float[b,4] x', 't = NonZero(x)', 'int64[2,?]'],
  [
    'LSTM',
    17,
    'float[s,b,8] x, float[2,64,8] w, float[2,64,16] r',
    't, h, c = LSTM<hidden_size=16,direction="bidirectional">(x, w, r)',
    'float[s,2,b,16]',
  ],
  [
    'GRU with the batch first',
    17,
    'float[b,s,8] x, float[1,48,8] w, float[1,48,16] r',
    't = GRU<hidden_size=16,layout=1>(x, w, r)',
    'float[b,s,1,16]',
  ],
  [
    'LayerNormalization statistics',
    17,
    'float16[b,s,8] x, float16[8] g',
    'y, t = LayerNormalization(x, g)',
    'float[b,s,1]',
  ],
  [
    'BatchNormalization',
    17,
    'float[n,8,h] x, float[8] a, float[8] b, float[8] c, float[8] d',
    't = BatchNormalization(x, a, b, c, d)',
    'float[n,8,h]',
  ],
  ['QuantizeLinear without zero point', 17, 'float[a] x, float s', 't = QuantizeLinear(x, s)', 'uint8[a]'],
  ['QuantizeLinear with one', 17, 'float[a] x, float s, int8 z', 't = QuantizeLinear(x, s, z)', 'int8[a]'],
  [
    'QuantizeLinear with output_dtype',
    21,
    'float[a] x, float s',
    't = QuantizeLinear<output_dtype=22>(x, s)',
    'int4[a]',
  ],
  [
    'DequantizeLinear takes the type of the scale',
    21,
    'int8[a] x, float16 s',
    't = DequantizeLinear(x, s)',
    'float16[a]',
  ],
  ['DynamicQuantizeLinear', 17, 'float[a,4] x', 't, s, z = DynamicQuantizeLinear(x)', 'uint8[a,4]'],
  ['MatMulInteger', 17, 'uint8[b,4] x, int8[4,3] w', 't = MatMulInteger(x, w)', 'int32[b,3]'],
  [
    'QLinearConv',
    17,
    'uint8[n,3,8,8] x, float s, uint8 z, int8[4,3,3,3] w, float[4] v, int8[4] q, float r, uint8 y',
    't = QLinearConv(x, s, z, w, v, q, r, y)',
    'uint8[n,4,6,6]',
  ],
  [
    'Einsum',
    17,
    'float[b,h,s,d] x, float[b,h,t,d] y',
    't = Einsum<equation="bhsd,bhtd->bhst">(x, y)',
    'float[b,h,s,t]',
  ],
  [
    'Einsum with an ellipsis and no arrow',
    17,
    'float[b,2,3] x, float[3,4] y',
    't = Einsum<equation="...ij,jk">(x, y)',
    'float[b,2,4]',
  ],
  ['DepthToSpace', 17, 'float[n,8,h,w] x', 't = DepthToSpace<blocksize=2>(x)', 'float[n,2,2*h,2*w]'],
  [
    'Attention of opset 23',
    23,
    'float[b,4,s,16] q, float[b,2,t,16] k, float[b,2,t,32] v',
    't = Attention(q, k, v)',
    'float[b,4,s,32]',
  ],
  ['Identity of a sequence', 17, 'seq(float[a]) x', 't = Identity(x)', 'seq(float[a])'],
  [
    'SequenceConstruct and SequenceAt',
    17,
    'float[a,2] x, float[b,2] y',
    's = SequenceConstruct(x, y) i = Constant<value_int=0>() t = SequenceAt(s, i)',
    'float[?,2]',
  ],
  ['SplitToSequence', 17, 'float[6,2] x', 'n = Constant<value_int=2>() t = SplitToSequence(x, n)', 'seq(float[2,2])'],
  ['OptionalGetElement', 18, 'optional(float[a]) x', 't = OptionalGetElement(x)', 'float[a]'],
  [
    'ZipMap',
    17,
    'float[b,3] x',
    't = ai.onnx.ml.ZipMap<classlabels_strings=["a","b","c"]>(x)',
    'seq(map(string, float))',
  ],
  [
    'LabelEncoder',
    17,
    'string[b] x',
    't = ai.onnx.ml.LabelEncoder<keys_strings=["a"],values_floats=[1.0]>(x)',
    'float[b]',
  ],
  ['TreeEnsembleRegressor', 17, 'float[b,3] x', 't = ai.onnx.ml.TreeEnsembleRegressor<n_targets=2>(x)', 'float[b,2]'],
  ['FusedMatMul', 17, 'float[b,4] x, float[8,4] w', 't = com.microsoft.FusedMatMul<transB=1>(x, w)', 'float[b,8]'],
  [
    'MatMulNBits',
    17,
    'float[b,s,64] x, uint8[8,2,16] w, float[16] v',
    't = com.microsoft.MatMulNBits<K=64,N=8,bits=4,block_size=32>(x, w, v)',
    'float[b,s,8]',
  ],
  [
    'QLinearConcat',
    17,
    'float s, uint8 z, uint8[b,2] x, float xs, uint8 xz, uint8[b,3] y, float ys, uint8 yz',
    't = com.microsoft.QLinearConcat<axis=1>(s, z, x, xs, xz, y, ys, yz)',
    'uint8[b,5]',
  ],
];

describe('type and shape inference', () => {
  it.each(ROWS)('%s', (_, opset, inputs, body, want) => {
    const { types, report } = infer(model(opset, `${inputs}, float rest`, `${body} out = Abs(rest)`), ['t']);
    expect(report.problems).toEqual([]);
    expect(types).toEqual([want]);
  });

  it('carries sizes from Shape through Gather, arithmetic and Concat into Reshape', () => {
    const { types } = infer(
      model(
        17,
        'float[batch,seq,768] x',
        `s = Shape(x) zero = Constant<value_int=0>() one = Constant<value_int=1>() two = Constant<value_int=2>()
         b = Gather(s, zero) n = Gather(s, one) h = Gather(s, two)
         twelve = Constant<value_int=12>() width = Div(h, twelve) axes = Constant<value_ints=[0]>()
         b1 = Unsqueeze(b, axes) n1 = Unsqueeze(n, axes) t1 = Unsqueeze(twelve, axes) w1 = Unsqueeze(width, axes)
         d = Concat<axis=0>(b1, n1, t1, w1) r = Reshape(x, d)
         double = Mul(n, two) plus = Add(double, one) p1 = Unsqueeze(plus, axes)
         filled = ConstantOfShape(p1) out = Identity(r)`,
      ),
      ['r', 'filled'],
    );
    expect(types).toEqual(['float[batch,seq,12,64]', 'float[2*seq+1]']);
  });

  it('follows the pad list that torch writes: Reshape, Slice backwards, Transpose, Reshape', () => {
    const { types } = infer(
      model(
        17,
        'float[1,3,h,w] x',
        `p = Constant<value_ints=[1,2,3,4,0,0,0,0]>() pairs = Constant<value_ints=[-1,2]>() m = Reshape(p, pairs)
         a = Constant<value_ints=[0]>() s = Constant<value_ints=[-1]>() e = Constant<value_ints=[-9223372036854775807]>()
         f = Slice(m, s, e, a, s) g = Transpose<perm=[1,0]>(f) flat = Reshape(g, s) i = Cast<to=7>(flat)
         t = Pad(x, i) out = Identity(t)`,
      ),
      ['t'],
    );
    expect(types).toEqual(['float[1,3,h+7,w+3]']);
  });

  it('reports contradictions and goes on', () => {
    const { report, types } = infer(
      model(17, 'float[2,3] x, int64[4,5] y, float[4,5] z', 'a = Add(x, y) b = MatMul(x, z) out = Relu(b)'),
      ['b', 'out'],
    );
    expect(report.problems.map((p) => p.opType)).toEqual(['Add', 'Add', 'Add', 'MatMul']);
    expect(types).toEqual(['float[2,5]', 'float[2,5]']);
  });

  it('leaves unknown operators with their declared types and names them', () => {
    const { report, types } = infer(
      `<ir_version: 8, opset_import: ["": 17, "custom": 1]>
       net (float[a] x) => (float[] out) <float[a,7] t> { t = custom.Mystery(x) u = custom.Mystery(t) out = Relu(t) }`,
      ['t', 'u'],
    );
    expect(report.unknownOps).toEqual(['custom::Mystery']);
    expect(types).toEqual(['float[a,7]', '?']);
  });

  it('prefers what it infers over stale value_info, and reports the conflict', () => {
    const { report, types } = infer(
      `<ir_version: 8, opset_import: ["": 17]>
       net (float[2,3] x) => (float[] out) <float[9,9] t> { t = Relu(x) out = Relu(t) }`,
      ['t'],
    );
    expect(types).toEqual(['float[2,3]']);
    expect(report.problems).toHaveLength(1);
  });

  it('keeps declared outputs and fills only their gaps', () => {
    const { types } = infer(model(17, 'float[n,3,4] x', 'out = Relu(x)', 'float[batch,3,?] out'), ['out']);
    expect(types).toEqual(['float[batch,3,4]']);
  });

  it('marks nothing as changed, and starts anew when run again', () => {
    const made = parseModel(model(17, 'float[n,3] x', 't = Relu(x) out = Relu(t)'));
    for (const value of made.graph.values.values()) value.changed = false;
    inferTypes(made);
    const [input] = made.graph.inputs;
    if (!input) throw new Error('no input');
    expect([...made.graph.values.values()].some((value) => value.changed)).toBe(false);
    expect(formatType(made.graph.values.get('t')?.type)).toBe('float[n,3]');
    input.type = { kind: 'tensor', dataType: 1, shape: undefined };
    inferTypes(made);
    expect(formatType(made.graph.values.get('t')?.type)).toBe('float[]');
  });

  it('does not take an overridable initializer for a constant', () => {
    const { types } = infer(
      `<ir_version: 8, opset_import: ["": 17]>
       net (float[2,3] x, int64[2] shape = {3,2}) => (float[] out) { t = Reshape(x, shape) out = Relu(t) }`,
      ['t'],
    );
    expect(types).toEqual(['float[?,?]']);
  });

  it('names the unknown sizes of inputs, those below 0 and those called ? too', () => {
    const { types } = infer(model(17, 'float[-1,3,?,?] x, float[4,3,3,3] w', 't = Conv(x, w) out = Relu(t)'), ['t']);
    expect(types).toEqual(['float[x.dim0,4,x.dim2 - 2,x.dim3 - 2]']);
  });

  it('is linear: ten thousand chained nodes are no trouble', () => {
    const made = parseModel(model(17, 'float[n,3] x', 'out = Relu(x)'));
    let value = made.graph.values.get('x');
    for (let i = 0; i < 10_000; i++)
      value = made.graph.addNode({ opType: 'Relu', inputs: [value], outputs: [{ name: `v${i}` }] }).output();
    inferTypes(made);
    expect(formatType(value?.type)).toBe('float[n,3]');
  });
});
