/**
 * Small models that ask for much memory: each a few hundred bytes in ONNX text, which `parseModel` reads and `encodeModel`
 * writes. None of them may take more than the limit allows, whatever is done with it.
 */

export interface SizeBomb {
  /** Kebab-case, unique: fit for a file name. */
  readonly name: string;
  /** The model in the ONNX text syntax. */
  readonly text: string;
}

const HEAD = '<ir_version: 9, opset_import: ["": 19]>';
/** Elements of a side whose square is far too much, and of a list that is: 2^17 and 2^31. */
const SIDE = 131_072;
const LONG = 2_147_483_648;

/** A model of one input, whose result is the sum of something large and that input. */
function summed(name: string, initializers: string, nodes: string, cast = false): SizeBomb {
  const sum = cast
    ? 'bigf = Cast <to = 1> (big)\n sum = ReduceMax <keepdims = 0> (bigf)'
    : 'sum = ReduceMax <keepdims = 0> (big)';
  const text = `${HEAD}
    net (float[N] x) => (float[N] y) <${initializers}> {
      ${nodes}
      ${sum}
      y = Add (x, sum)
    }`;
  return { name, text };
}

const chain = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

function functionChain(depth: number): SizeBomb {
  const functions = chain(depth, (at) =>
    at === 0
      ? '<domain: "f", opset_import: ["": 19]> f0 (x) => (y) { y = Identity (x) }'
      : `<domain: "f", opset_import: ["": 19, "f": 1]> f${at} (x) => (y) {
          twice = Concat <axis = 0> (x, x)
          y = f.f${at - 1} (twice)
        }`,
  );
  const text = `<ir_version: 9, opset_import: ["": 19, "f": 1]>
    net (float[N] x) => (float[M] y) <float[2] c = {1, 2}> {
      z = f.f${depth - 1} (c)
      y = Concat <axis = 0> (x, z)
    }
    ${functions}`;
  return { name: 'functions-doubling', text };
}

function functionTree(depth: number): SizeBomb {
  const functions = chain(depth, (at) =>
    at === 0
      ? '<domain: "f", opset_import: ["": 19]> f0 (x) => (y) { y = Identity (x) }'
      : `<domain: "f", opset_import: ["": 19, "f": 1]> f${at} (x) => (y) {
          a = f.f${at - 1} (x)
          b = f.f${at - 1} (x)
          y = Add (a, b)
        }`,
  );
  const text = `<ir_version: 9, opset_import: ["": 19, "f": 1]>
    net (float[N] x) => (float[N] y) { y = f.f${depth - 1} (x) }
    ${functions}`;
  return { name: 'functions-calling-twice', text };
}

function loop(name: string, trips: string, start: string, body: string, scans = ''): SizeBomb {
  const text = `${HEAD}
    net (float[N] x) => (float[M] y) <int64 trips = {${trips}}, bool go = {1}, float[2] c = {1, 2}> {
      ${start}
      z${scans === '' ? '' : ', s'} = Loop <body = b (int64 i, bool on, float[K] v) => (bool more, float[L] w${scans}) {
        more = Identity (on)
        ${body}
      }> (trips, go, first)
      ${scans === '' ? 'all = Identity (z)' : 'all = ReduceMax <keepdims = 1> (s)'}
      flat = ReduceMax <keepdims = 0> (all)
      y = Add (x, flat)
    }`;
  return { name, text };
}

/** Bombs whose sizes follow from the file alone. */
const KNOWN: readonly SizeBomb[] = [
  summed('constant-of-shape', `int64[2] s = {${SIDE}, ${SIDE}}`, 'big = ConstantOfShape (s)'),
  summed(
    'many-alive',
    'int64[1] s = {67108864}',
    `${chain(32, (at) => `a${at} = ConstantOfShape (s)`)}
     big = Concat <axis = 0> (${Array.from({ length: 32 }, (_, at) => `a${at}`).join(', ')})`,
  ),
  summed('expand', `float[1] one = {1}, int64[2] s = {${SIDE}, ${SIDE}}`, 'big = Expand (one, s)'),
  summed('tile', `float[1,1] one = {1}, int64[2] s = {${SIDE}, ${SIDE}}`, 'big = Tile (one, s)'),
  summed(
    'tile-chain',
    'float[2] t0 = {1, 2}, int64[1] two = {2}',
    `${chain(40, (at) => `t${at + 1} = Tile (t${at}, two)`)} big = Identity (t40)`,
  ),
  summed('range-of-integers', `int64 a = {0}, int64 b = {${LONG}}, int64 d = {1}`, 'big = Range (a, b, d)', true),
  summed('range-of-floats', 'float a = {0}, float b = {4294967296}, float d = {1}', 'big = Range (a, b, d)'),
  loop('loop-doubling', '40', 'first = Identity (c)', 'w = Concat <axis = 0> (v, v)'),
  loop('loop-collecting', `${LONG}`, 'first = Identity (c)', 'w = Identity (v) q = Identity (v)', ', float[2] q'),
  loop(
    'loop-of-large-bodies',
    '3',
    'first = Identity (c)',
    `s = Constant <value_ints = [${SIDE}, ${SIDE}]> () e = ConstantOfShape (s) m = ReduceMax <keepdims = 0> (e)
     w = Add (v, m)`,
  ),
  summed(
    'scan-outer-product',
    `int64[1] n = {${SIDE}}`,
    `row = ConstantOfShape (n)
     big = Scan <num_scan_inputs = 1, body = b (float v) => (float[P] w) { w = Add (row, v) }> (row)`,
  ),
  summed(
    'concat-doubling',
    'float[2] t0 = {1, 2}',
    `${chain(40, (at) => `t${at + 1} = Concat <axis = 0> (t${at}, t${at})`)} big = Identity (t40)`,
  ),
  summed(
    'concat-wide',
    'int64[1] s = {67108864}',
    `part = ConstantOfShape (s) big = Concat <axis = 0> (${Array.from({ length: 64 }, () => 'part').join(', ')})`,
  ),
  summed(
    'split-chain',
    'int64[1] s = {1073741824}',
    `t0 = ConstantOfShape (s)
     ${chain(8, (at) => `t${at + 1}, r${at} = Split <axis = 0, num_outputs = 2> (t${at})`)}
     big = Concat <axis = 0> (${Array.from({ length: 8 }, (_, at) => `r${at}`).join(', ')})`,
  ),
  summed(
    'einsum-outer-product',
    `int64[1] s = {${SIDE}}`,
    'row = ConstantOfShape (s) big = Einsum <equation = "i,j->ij"> (row, row)',
  ),
  summed(
    'einsum-of-three',
    'int64[1] s = {2048}',
    'row = ConstantOfShape (s) big = Einsum <equation = "i,j,k->ijk"> (row, row, row)',
  ),
  summed(
    'resize-scales',
    'float[1,1,1,1] one = {1}, float[4] scales = {1, 1, 100000, 100000}',
    'big = Resize <mode = "nearest"> (one, , scales)',
  ),
  summed(
    'resize-sizes',
    `float[1,1,1,1] one = {1}, int64[4] sizes = {1, 1, ${SIDE}, ${SIDE}}`,
    'big = Resize <mode = "nearest"> (one, , , sizes)',
  ),
  summed('pad', `float[1,1] one = {1}, int64[4] p = {0, 0, ${SIDE}, ${SIDE}}`, 'big = Pad (one, p)'),
  summed(
    'one-hot',
    `int64[1024] at = {${Array.from({ length: 1024 }, () => 0).join(',')}}, int64 depth = {16777216}, float[2] v = {0, 1}`,
    'big = OneHot (at, depth, v)',
  ),
  summed(
    'non-zero',
    'int64[2] s = {32768, 32768}',
    'all = ConstantOfShape <value = int64[1] {1}> (s) big = NonZero (all)',
    true,
  ),
  summed(
    'broadcast-sum',
    `int64[2] r = {1, ${SIDE}}, int64[2] c = {${SIDE}, 1}`,
    'row = ConstantOfShape (r) column = ConstantOfShape (c) big = Add (row, column)',
  ),
  summed(
    'where-broadcast',
    `int64[2] r = {1, ${SIDE}}, int64[2] c = {${SIDE}, 1}, bool yes = {1}`,
    'row = ConstantOfShape (r) column = ConstantOfShape (c) big = Where (yes, row, column)',
  ),
  summed(
    'gather',
    `float[2] data = {1, 2}, int64[2] s = {${SIDE}, ${SIDE}}`,
    'at = ConstantOfShape <value = int64[1] {0}> (s) big = Gather (data, at)',
  ),
  summed(
    'gather-rows',
    'int64[2] s = {1, 1048576}, int64[1] n = {16384}',
    'table = ConstantOfShape (s) at = ConstantOfShape <value = int64[1] {0}> (n) big = Gather (table, at)',
  ),
  summed(
    'cumulative-sum',
    `int64[1] s = {${LONG}}, int64 axis = {0}`,
    'a = ConstantOfShape (s) big = CumSum (a, axis)',
  ),
  summed('eye', `int64[2] s = {${SIDE}, ${SIDE}}`, 'a = ConstantOfShape (s) big = EyeLike (a)'),
  summed('random-normal', 'float unused = {1}', `big = RandomNormal <shape = [${SIDE}, ${SIDE}]> ()`),
  summed(
    'random-uniform-like',
    `int64[2] s = {${SIDE}, ${SIDE}}`,
    'a = ConstantOfShape (s) big = RandomUniformLike (a)',
  ),
  summed(
    'matmul-outer-product',
    `int64[2] r = {1, ${SIDE}}, int64[2] c = {${SIDE}, 1}`,
    'row = ConstantOfShape (r) column = ConstantOfShape (c) big = MatMul (column, row)',
  ),
  summed(
    'conv-transpose',
    'float[1,1,2,2] one = {1, 1, 1, 1}, float[1,1,1,1] w = {1}',
    'big = ConvTranspose <strides = [100000, 100000]> (one, w)',
  ),
  {
    name: 'upsample',
    text: `<ir_version: 4, opset_import: ["": 9]>
      net (float[1,1,2,2] x) => (float[1,1,A,B] y) <float[4] scales = {1, 1, 100000, 100000}> {
        y = Upsample <mode = "nearest"> (x, scales)
      }`,
  },
  summed(
    'depth-to-space',
    'int64[4] s = {1, 65536, 256, 256}',
    'a = ConstantOfShape (s) big = DepthToSpace <blocksize = 256> (a)',
  ),
  summed(
    'compress',
    'int64[1] s = {1073741824}',
    'a = ConstantOfShape (s) c = ConstantOfShape <value = bool[1] {1}> (s) big = Compress <axis = 0> (a, c)',
  ),
  summed('trilu', `int64[2] s = {${SIDE}, ${SIDE}}`, 'a = ConstantOfShape (s) big = Trilu (a)'),
  summed(
    'dequantize',
    'int64[1] s = {2147483648}, float scale = {0.5}, int8 zero = {0}',
    'a = ConstantOfShape <value = int8[1] {1}> (s) big = DequantizeLinear (a, scale, zero)',
  ),
  summed(
    'scatter',
    `int64[1] s = {${LONG}}, int64[1,1] at = {0}, float[1] v = {1}`,
    'a = ConstantOfShape (s) big = ScatterND (a, at, v)',
  ),
  summed('window', `int64 n = {${LONG}}`, 'big = HannWindow (n)'),
  summed('fourier', 'float[1,4,1] signal = {1, 2, 3, 4}, int64 n = {1073741824}', 'big = DFT <axis = 1> (signal, n)'),
  summed('center-crop-pad', `float[1,1] one = {1}, int64[2] s = {${SIDE}, ${SIDE}}`, 'big = CenterCropPad (one, s)'),
  summed(
    'max-unpool',
    'float[1,1,1,1] one = {1}, int64[1,1,1,1] at = {0}, int64[4] s = {1, 1, 100000, 100000}',
    'big = MaxUnpool <kernel_shape = [2, 2], strides = [2, 2]> (one, at, s)',
  ),
  summed(
    'top-k',
    'int64[1] s = {1073741824}, int64[1] k = {1073741824}',
    'a = ConstantOfShape (s) big, at = TopK (a, k)',
  ),
  summed(
    'col2im',
    'float[1,1,1] one = {1}, int64[2] image = {100000, 100000}, int64[2] block = {1, 1}',
    'big = Col2Im (one, image, block)',
  ),
  {
    name: 'affine-grid',
    text: `<ir_version: 10, opset_import: ["": 20]>
      net (float[1,2,3] x) => (float[1,H,W,2] y) <int64[4] s = {1, 1, 100000, 100000}> { y = AffineGrid (x, s) }`,
  },
  summed(
    'more-than-64-bits',
    'int64[3] s = {1099511627776, 1099511627776, 1099511627776}',
    'big = ConstantOfShape (s)',
  ),
  {
    name: 'large-input',
    text: `${HEAD} net (float[268435456, 4] x) => (float[268435456, 4] y) { y = Relu (x) }`,
  },
  {
    name: 'large-inputs-together',
    text: `${HEAD} net (${Array.from({ length: 40 }, (_, at) => `float[33554432] x${at}`).join(', ')}) => (float[33554432] y) {
      y = Sum (${Array.from({ length: 40 }, (_, at) => `x${at}`).join(', ')}) }`,
  },
  {
    name: 'large-text-input',
    text: `${HEAD} net (string[268435456] x) => (string[268435456] y) { y = Identity (x) }`,
  },
  {
    name: 'outer-product-of-inputs',
    text: `${HEAD} net (float[${SIDE}, 1] x, float[1, ${SIDE}] z) => (float[${SIDE}, ${SIDE}] y) { y = Mul (x, z) }`,
  },
  {
    name: 'quadratic-in-the-batch',
    text: `${HEAD} net (float[N, 65536] x) => (float[N, 65536, 65536] y) <int64[1] last = {2}, int64[1] mid = {1}> {
      a = Unsqueeze (x, last) b = Unsqueeze (x, mid) y = MatMul (a, b) }`,
  },
  {
    name: 'if-with-a-large-branch',
    text: `${HEAD} net (float[N] x, bool c) => (float[N] y) <int64[2] s = {${SIDE}, ${SIDE}}> {
      m = If <then_branch = t () => (float p) { e = ConstantOfShape (s) p = ReduceMax <keepdims = 0> (e) },
              else_branch = f () => (float q) { g = ConstantOfShape (s) q = ReduceMin <keepdims = 0> (g) }> (c)
      y = Add (x, m) }`,
  },
  functionChain(40),
];

/** Bombs whose sizes show only while the model runs. */
const DATA_DEPENDENT: readonly SizeBomb[] = [
  {
    name: 'range-of-an-input',
    text: `${HEAD} net (int64 n) => (int64 y) <int64 zero = {0}, int64 one = {1}, int64 much = {${LONG}}> {
      limit = Mul (n, much) limit1 = Add (limit, much) big = Range (zero, limit1, one) y = ReduceMax <keepdims = 0> (big) }`,
  },
  {
    name: 'expand-by-an-input',
    text: `${HEAD} net (int64[2] s) => (float y) <float[1] one = {1}, int64[2] much = {${SIDE}, ${SIDE}}> {
      t = Mul (s, much) u = Max (t, much) big = Expand (one, u) y = ReduceMax <keepdims = 0> (big) }`,
  },
  {
    name: 'loop-until-an-input-says-stop',
    text: `${HEAD} net (float[2] x) => (float[M] y) <int64 trips = {60}> {
      y = Loop <body = b (int64 i, bool on, float[K] v) => (bool more, float[L] w) {
        m = ReduceMax <keepdims = 0> (v) k = Equal (m, m) more = Or (k, on) w = Concat <axis = 0> (v, v)
      }> (trips, , x) }`,
  },
  {
    name: 'sequence-in-a-loop',
    text: `${HEAD} net (float[2] x) => (float[M] y) <int64 trips = {4000}, bool go = {1}, int64[1] s = {4194304}> {
      none = SequenceEmpty ()
      all = Loop <body = b (int64 i, bool on, seq(float[K]) v) => (bool more, seq(float[K]) w) {
        more = Identity (on) e = ConstantOfShape (s) w = SequenceInsert (v, e)
      }> (trips, go, none)
      z = ConcatFromSequence <axis = 0> (all) m = ReduceMax <keepdims = 0> (z) y = Add (x, m) }`,
  },
  {
    name: 'random-shape',
    text: `${HEAD} net (float[2] x) => (float[2] y) {
      r = RandomUniform <shape = [2], low = 90000.0, high = 99000.0> () s = Cast <to = 7> (r)
      e = ConstantOfShape (s) m = ReduceMax <keepdims = 0> (e) y = Add (x, m) }`,
  },
];

/** Bombs that take no large tensor, but ever more nodes or time where somebody writes functions out. */
const GROWING_GRAPHS: readonly SizeBomb[] = [functionTree(60)];

/** Bombs of time: loops that run for years. */
const ENDLESS: readonly SizeBomb[] = [
  loop('loop-of-many-trips', '4611686018427387904', 'first = Identity (c)', 'w = Add (v, v)'),
  loop(
    'loop-in-a-loop',
    '1000000',
    'first = Identity (c)',
    `t = Constant <value_int = 1000000> () g = Constant <value = bool {1}> ()
     w = Loop <body = b2 (int64 j, bool on2, float[K] v2) => (bool more2, float[L] w2) {
       more2 = Identity (on2) w2 = Add (v2, v2) }> (t, g, v)`,
  ),
  {
    name: 'loop-without-end',
    text: `${HEAD} net (float[N] x) => (float[M] y) <bool go = {1}> {
      y = Loop <body = b (int64 i, bool on, float[K] v) => (bool more, float[L] w) {
        more = Identity (on) w = Add (v, v) }> (, go, x) }`,
  },
];

/** Every size bomb. */
export const SIZE_BOMBS: readonly SizeBomb[] = [...KNOWN, ...DATA_DEPENDENT, ...ENDLESS, ...GROWING_GRAPHS];
/** Those of which inference alone can tell that they are too large. */
export const KNOWN_SIZE_BOMBS: readonly SizeBomb[] = KNOWN;
