import { describe, expect, it } from 'vitest';
import { evaluatedText } from '../../helpers/evaluate-text.js';

type Row = readonly [constants: string, nodes: string, expected: string, opset?: number];

function check(rows: readonly Row[]): void {
  it.each(rows.map(([constants, nodes, expected, opset]) => ({ constants, nodes, expected, opset })))(
    '$nodes of $constants in version $opset',
    ({ constants, nodes, expected, opset }) => {
      const text = evaluatedText(constants, nodes, opset);
      if (expected === 'refused') expect(text).toMatch(/^refused: /);
      else expect(text).toBe(expected);
    },
  );
}

describe('integers', () => {
  check([
    ['int8[3] a = {127, -128, 100}, int8[3] b = {1, -1, 100}', 'y = Add(a, b)', 'int8[3] {-128,127,-56}'],
    ['uint8[2] a = {0, 255}, uint8[2] b = {1, 1}', 'y = Sub(a, b)', 'uint8[2] {255,254}'],
    ['int32[2] a = {2147483647, 65537}, int32[2] b = {2147483647, 65537}', 'y = Mul(a, b)', 'int32[2] {1,131073}'],
    ['uint32 a = {4294967295}, uint32 b = {4294967295}', 'y = Mul(a, b)', 'uint32 {1}'],
    ['int64 a = {9223372036854775807}, int64 b = {1}', 'y = Add(a, b)', 'int64 {-9223372036854775808}'],
    ['int64 a = {9007199254740993}, int64 b = {3}', 'y = Mul(a, b)', 'int64 {27021597764222979}'],
    ['uint64 a = {0}, uint64 b = {1}', 'y = Sub(a, b)', 'uint64 {18446744073709551615}'],
    ['int32[4] a = {7, -7, 7, -7}, int32[4] b = {2, 2, -2, -2}', 'y = Div(a, b)', 'int32[4] {3,-3,-3,3}'],
    ['int64[4] a = {7, -7, 7, -7}, int64[4] b = {2, 2, -2, -2}', 'y = Div(a, b)', 'int64[4] {3,-3,-3,3}'],
    ['int32[2] a = {7, 1}, int32[2] b = {2, 0}', 'y = Div(a, b)', 'refused'],
    ['int64 a = {7}, int64 b = {0}', 'y = Div(a, b)', 'refused'],
    ['int32[4] a = {7, -7, 7, -7}, int32[4] b = {3, 3, -3, -3}', 'y = Mod(a, b)', 'int32[4] {1,2,-2,-1}'],
    ['int64[4] a = {7, -7, 7, -7}, int64[4] b = {3, 3, -3, -3}', 'y = Mod(a, b)', 'int64[4] {1,2,-2,-1}'],
    ['int64[4] a = {7, -7, 7, -7}, int64[4] b = {3, 3, -3, -3}', 'y = Mod<fmod = 1>(a, b)', 'int64[4] {1,-1,1,-1}'],
    ['int64 a = {9007199254740993}, int64 b = {3}', 'y = Mod<fmod = 1>(a, b)', 'refused'],
    ['int8 a = {-128}', 'y = Neg(a)', 'int8 {-128}'],
    ['int64 a = {-9223372036854775808}', 'y = Abs(a)', 'int64 {-9223372036854775808}'],
    ['uint8[2] a = {129, 3}, uint8[2] b = {1, 7}', 'y = BitShift<direction = "LEFT">(a, b)', 'uint8[2] {2,128}'],
    ['uint32 a = {2147483648}, uint32 b = {31}', 'y = BitShift<direction = "RIGHT">(a, b)', 'uint32 {1}'],
    ['uint8 a = {1}, uint8 b = {8}', 'y = BitShift<direction = "LEFT">(a, b)', 'refused'],
    ['uint32 a = {4294967295}, uint32 b = {2147483648}', 'y = BitwiseXor(a, b)', 'uint32 {2147483647}'],
    ['uint8 a = {5}', 'y = BitwiseNot(a)', 'uint8 {250}'],
    ['int32[2] a = {2, 3}, int32[2] b = {10, 4}', 'y = Pow(a, b)', 'int32[2] {1024,81}'],
    ['int32 a = {10}, int32 b = {10}', 'y = Pow(a, b)', 'refused'],
    ['int64 a = {2}, float b = {0.5}', 'y = Pow(a, b)', 'int64 {1}'],
    ['int64[2] a = {5, -5}, int64 b = {-1}, int64 c = {3}', 'y = Clip(a, b, c)', 'int64[2] {3,-1}'],
    ['int32[2] a = {2147483647, 1}, int64[1] b = {0}', 'y = ReduceSum(a, b)', 'refused'],
    ['int32[2] a = {7, -2}, int64[1] b = {0}', 'y = ReduceMean<keepdims = 0>(a, b)', 'int32 {2}'],
  ]);
});

describe('floating-point numbers', () => {
  check([
    ['float a = {16777216}, float b = {1}', 'y = Add(a, b)', 'float {16777216.0}'],
    ['double a = {16777216}, double b = {1}', 'y = Add(a, b)', 'double {16777217.0}'],
    ['float[3] a = {1, -1, 0}, float b = {0}', 'y = Div(a, b)', 'float[3] {inf,-inf,nan}'],
    ['float[2] a = {-7.5, 7.5}, float b = {2}', 'y = Mod<fmod = 1>(a, b)', 'float[2] {-1.5,1.5}'],
    ['float[2] a = {-7.5, 7.5}, float b = {2}', 'y = Mod(a, b)', 'refused'],
    ['float[5] a = {0.5, 1.5, 2.5, -0.5, -1.5}', 'y = Round(a)', 'float[5] {0.0,2.0,2.0,-0.0,-2.0}'],
    ['float[3] a = {nan, 1, 2}, float[3] b = {1, nan, 3}', 'y = Max(a, b)', 'float[3] {nan,nan,3.0}'],
    ['float[3] a = {nan, 1, 2}, float[3] b = {1, nan, 3}', 'y = Min(a, b)', 'float[3] {nan,nan,2.0}'],
    ['float[2] a = {1, -1}, float[2] b = {nan, inf}', 'y = Pow(a, b)', 'float[2] {1.0,1.0}'],
    ['float[4] a = {inf, -inf, nan, 0}', 'y = IsInf<detect_negative = 0>(a)', 'bool[4] {1,0,0,0}'],
    ['float[2] a = {nan, 0}', 'y = IsNaN(a)', 'bool[2] {1,0}'],
    ['float[2] a = {nan, 0}', 'y = Equal(a, a)', 'bool[2] {0,1}'],
    ['float[3] a = {-0, 2, -3}', 'y = Sign(a)', 'float[3] {0.0,1.0,-1.0}'],
    ['float[1] a = {nan}', 'y = Sign(a)', 'refused'],
    ['float[3] a = {-1, 0.5, 9}', 'y = Clip<min = 0.0, max = 6.0>(a)', 'float[3] {0.0,0.5,6.0}', 6],
    ['float[3] a = {-1, 0.5, 9}', 'y = Clip(a)', 'float[3] {-1.0,0.5,9.0}'],
    ['float[2,2] a = {1, 2, nan, 4}, int64[1] b = {1}', 'y = ReduceMax(a, b)', 'refused'],
    ['float[2,0] a = {}, int64[1] b = {1}', 'y = ReduceMax<keepdims = 0>(a, b)', 'float[2] {-inf,-inf}', 20],
    ['float[2,0] a = {}, int64[1] b = {1}', 'y = ReduceMean(a, b)', 'refused'],
    ['float[2] a = {3, 4}', 'y = ReduceL2<axes = [0], keepdims = 0>(a)', 'float {5.0}', 13],
    ['float[2] a = {3, 4}', 'y = ReduceSum<noop_with_empty_axes = 1>(a)', 'float[2] {3.0,4.0}'],
    ['float[2] a = {3, 4}', 'y = ReduceSum(a)', 'float[1] {7.0}'],
    ['float[2,2] a = {1, 3, 3, 2}', 'y = ArgMax<axis = 1, select_last_index = 1>(a)', 'int64[2,1] {1,0}'],
    ['float[4] a = {2, 2, 1, 2}', 'y = ArgMax<keepdims = 0, select_last_index = 1>(a)', 'int64 {3}'],
    ['float[2] a = {nan, 1}', 'y = ArgMax(a)', 'refused'],
    [
      'float[4] a = {1, 2, 3, 4}, int64 b = {0}',
      'y = CumSum<exclusive = 1, reverse = 1>(a, b)',
      'float[4] {9.0,7.0,4.0,0.0}',
    ],
    ['float[2,2] a = {1, 2, 3, 4}, float[2] b = {1, 1}', 'y = MatMul(a, b)', 'float[2] {3.0,7.0}'],
    [
      'float[1,2] a = {1, 2}, float[1,2] b = {3, 4}, float[1] c = {10}',
      'y = Gemm<transB = 1, alpha = 2.0>(a, b, c)',
      'float[1,1] {32.0}',
    ],
    ['float[2] a = {1, inf}', 'y = Softmax(a)', 'refused'],
    ['float[2,2] a = {0, 0, 0, 0}', 'y = Softmax<axis = 0>(a)', 'float[2,2] {0.25,0.25,0.25,0.25}', 11],
    ['float[2,2] a = {0, 0, 0, 0}', 'y = Softmax<axis = 0>(a)', 'float[2,2] {0.5,0.5,0.5,0.5}', 13],
  ]);
});

describe('broadcasting', () => {
  check([
    ['float[2,1] a = {1, 2}, float[3] b = {10, 20, 30}', 'y = Add(a, b)', 'float[2,3] {11.0,21.0,31.0,12.0,22.0,32.0}'],
    ['float[2,0] a = {}, float[1] b = {1}', 'y = Add(a, b)', 'float[2,0] {}'],
    ['float[2] a = {1, 2}, float[3] b = {1, 2, 3}', 'y = Add(a, b)', 'refused'],
    [
      'float[2,2] a = {1, 2, 3, 4}, float[2] b = {10, 20}',
      'y = Add<broadcast = 1, axis = 0>(a, b)',
      'float[2,2] {11.0,12.0,23.0,24.0}',
      6,
    ],
    [
      'float[2,2] a = {1, 2, 3, 4}, float[2] b = {10, 20}',
      'y = Add<broadcast = 1>(a, b)',
      'float[2,2] {11.0,22.0,13.0,24.0}',
      6,
    ],
    ['float[2,2] a = {1, 2, 3, 4}, float[2] b = {10, 20}', 'y = Add(a, b)', 'refused', 6],
    ['float[2,2] a = {1, 2, 3, 4}, float[2] b = {10, 20}', 'y = Add<broadcast = 1>(a, b)', 'refused', 7],
    [
      'bool[2,1] c = {1, 0}, string[2] a = {"x", "y"}, string[1] b = {"z"}',
      'y = Where(c, a, b)',
      'string[2,2] {"x","y","z","z"}',
    ],
    ['string[2] a = {"x", "y"}, string b = {"y"}', 'y = Equal(a, b)', 'bool[2] {0,1}'],
    ['string[2] a = {"x", "y"}, string b = {"y"}', 'y = StringConcat(a, b)', 'string[2] {"xy","yy"}'],
    ['float[2] a = {1, 2}, float[2] b = {3, 4}, float c = {5}', 'y = Mean(a, b, c)', 'float[2] {3.0,3.6666667}'],
  ]);
});

describe('generators', () => {
  check([
    ['', 'y = Constant<value_strings = ["a", "b"]>()', 'string[2] {"a","b"}'],
    ['', 'y = Constant<value_ints = [1, 2]>()', 'int64[2] {1,2}'],
    ['', 'y = Constant<value_float = 2.5>()', 'float {2.5}'],
    ['int64[2] s = {2, 2}', 'y = ConstantOfShape<value = int8[1] {3}>(s)', 'int8[2,2] {3,3,3,3}'],
    ['int64[0] s = {}', 'y = ConstantOfShape(s)', 'float {0.0}'],
    ['int64[1] s = {-1}', 'y = ConstantOfShape(s)', 'refused'],
    ['int64 a = {10}, int64 b = {0}, int64 c = {-3}', 'y = Range(a, b, c)', 'int64[4] {10,7,4,1}'],
    ['int64 a = {0}, int64 b = {0}, int64 c = {1}', 'y = Range(a, b, c)', 'int64[0] {}'],
    ['int64 a = {0}, int64 b = {1}, int64 c = {0}', 'y = Range(a, b, c)', 'refused'],
    ['float a = {0}, float b = {3}, float c = {1}', 'y = Range(a, b, c)', 'float[3] {0.0,1.0,2.0}'],
    ['float a = {0}, float b = {100}, float c = {0.1}', 'y = Range(a, b, c)', 'refused'],
    [
      'float[2,3,4] a = {1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}',
      'y = Shape<start = -2>(a)',
      'int64[2] {3,4}',
    ],
    ['float[2,0] a = {}', 'y = Size(a)', 'int64 {0}'],
    ['float[2,3] a = {1,1,1,1,1,1}', 'y = EyeLike<k = 1, dtype = 6>(a)', 'int32[2,3] {0,1,0,0,0,1}'],
  ]);
});

describe('Cast', () => {
  check([
    ['float[3] a = {1.9, -1.9, 0.5}', 'y = Cast<to = 6>(a)', 'int32[3] {1,-1,0}'],
    ['float[1] a = {nan}', 'y = Cast<to = 6>(a)', 'refused'],
    ['float[1] a = {3e9}', 'y = Cast<to = 6>(a)', 'refused'],
    ['float[1] a = {-1}', 'y = Cast<to = 2>(a)', 'refused'],
    [
      'float[2] a = {9.2233714e18, -9.223372e18}',
      'y = Cast<to = 7>(a)',
      'int64[2] {9223371487098961920,-9223372036854775808}',
    ],
    ['double[1] a = {18446744073709549568}', 'y = Cast<to = 13>(a)', 'uint64[1] {18446744073709549568}'],
    ['float[3] a = {nan, -0, 0.25}', 'y = Cast<to = 9>(a)', 'bool[3] {1,0,1}'],
    ['int32[2] a = {200, -200}', 'y = Cast<to = 3>(a)', 'int8[2] {-56,56}'],
    ['int64[2] a = {4294967297, -1}', 'y = Cast<to = 12>(a)', 'uint32[2] {1,4294967295}'],
    ['int64[2] a = {4294967296, 0}', 'y = Cast<to = 9>(a)', 'bool[2] {1,0}'],
    ['int64 a = {-1}', 'y = Cast<to = 13>(a)', 'uint64 {18446744073709551615}'],
    ['int32 a = {-5}', 'y = Cast<to = 7>(a)', 'int64 {-5}'],
    ['int32 a = {-5}', 'y = Cast<to = 13>(a)', 'uint64 {18446744073709551611}'],
    // 2^53 + 2^29 + 1 lies above the middle of two float32 numbers; as a float64 it would lie on it.
    [
      'int64[2] a = {9007199791611905, 9007199791611904}',
      'y = Cast<to = 1>(a)',
      'float[2] {9007200000000000.0,9007199000000000.0}',
    ],
    ['double[2] a = {1e39, 1e-50}', 'y = Cast<to = 1>(a)', 'float[2] {inf,0.0}'],
    [
      'float[4] a = {65504, 65520, 1e-8, -0}',
      'h = Cast<to = 10>(a) y = Cast<to = 1>(h)',
      'float[4] {65504.0,inf,0.0,-0.0}',
    ],
    ['float[2] a = {1.00390625, 1.01171875}', 'b = Cast<to = 16>(a) y = Cast<to = 1>(b)', 'float[2] {1.0,1.015625}'],
    [
      'float[5] a = {464, 1e9, inf, -inf, nan}',
      'q = Cast<to = 17>(a) y = Cast<to = 1>(q)',
      'float[5] {448.0,448.0,448.0,-448.0,nan}',
    ],
    ['float[2] a = {1e9, 472}', 'q = Cast<to = 17, saturate = 0>(a) y = Cast<to = 1>(q)', 'float[2] {nan,nan}'],
    ['float[2] a = {1e9, -inf}', 'q = Cast<to = 19, saturate = 0>(a) y = Cast<to = 1>(q)', 'float[2] {inf,-inf}'],
    ['float[1] a = {480}', 'q = Cast<to = 17, saturate = 0>(a) y = Cast<to = 1>(q)', 'refused'],
    ['float[3] a = {7, -7, 1.25}', 'q = Cast<to = 22>(a) y = Cast<to = 1>(q)', 'float[3] {7.0,-7.0,1.0}'],
    ['int32[3] a = {9, -9, 3}', 'y = Cast<to = 22>(a)', 'int4[3] {-7,7,3}'],
    ['uint4[3] a = {15, 8, 1}', 'y = Cast<to = 22>(a)', 'int4[3] {-1,-8,1}'],
    ['int4[3] a = {-8, 7, -1}', 'y = Cast<to = 3>(a)', 'int8[3] {-8,7,-1}'],
    ['float[3] a = {1.5, 3, 0.4}', 'q = Cast<to = 24>(a) y = Cast<to = 1>(q)', 'float[3] {2.0,4.0,0.5}', 25],
    [
      'float[2] a = {1.5, 1.25}',
      'q = Cast<to = 24, round_mode = "nearest">(a) y = Cast<to = 1>(q)',
      'float[2] {2.0,1.0}',
      25,
    ],
    ['float[1] a = {-1}', 'y = Cast<to = 24>(a)', 'refused', 25],
    ['int64[2] a = {-12, 34}', 'y = Cast<to = 8>(a)', 'string[2] {"-12","34"}'],
    ['float[2] a = {0.25, -1.1}', 'y = Cast<to = 8>(a)', 'string[2] {"0.25","-1.1"}'],
    ['float[1] a = {1}', 'y = Cast<to = 8>(a)', 'refused'],
    ['float[1] a = {0.3}', 'y = Cast<to = 8>(a)', 'refused'],
    [
      'string[5] a = {"1.5", "-2e3", "INF", "-inf", "nan"}',
      'y = Cast<to = 1>(a)',
      'float[5] {1.5,-2000.0,inf,-inf,nan}',
    ],
    ['string[2] a = {"12", "-3"}', 'y = Cast<to = 7>(a)', 'int64[2] {12,-3}'],
    ['string[1] a = {"1.5"}', 'y = Cast<to = 7>(a)', 'refused'],
    ['string[1] a = {"300"}', 'y = Cast<to = 2>(a)', 'refused'],
    ['string[1] a = {"hello"}', 'y = Cast<to = 1>(a)', 'refused'],
    ['float[1] a = {1}, int8[1] b = {0}', 'y = CastLike(a, b)', 'int8[1] {1}'],
    ['float[1] a = {-0}', 'y = BitCast<to = 6>(a)', 'int32[1] {-2147483648}', 26],
    ['float[1] a = {-0}', 'y = BitCast<to = 7>(a)', 'refused', 26],
    ['float[2] a = {1.5, 0}', 'y = Cast<to = "INT32">(a)', 'int32[2] {1,0}', 1],
  ]);
});

describe('shapes and places', () => {
  const six = 'float[2,3] a = {1, 2, 3, 4, 5, 6}';
  check([
    [`${six}, int64[2] s = {0, -1}`, 'y = Reshape(a, s)', 'float[2,3] {1.0,2.0,3.0,4.0,5.0,6.0}'],
    [`${six}, int64[2] s = {4, -1}`, 'y = Reshape(a, s)', 'refused'],
    [`${six}, int64[3] s = {2, 3, 0}`, 'y = Reshape(a, s)', 'refused'],
    [six, 'y = Reshape<shape = [3, 2]>(a)', 'float[3,2] {1.0,2.0,3.0,4.0,5.0,6.0}', 1],
    ['float[0,3] a = {}, int64[2] s = {0, 5}', 'y = Reshape<allowzero = 1>(a, s)', 'float[0,5] {}'],
    ['float[0,3] a = {}, int64[2] s = {0, -1}', 'y = Reshape(a, s)', 'refused'],
    [six, 'y = Flatten<axis = 0>(a)', 'float[1,6] {1.0,2.0,3.0,4.0,5.0,6.0}'],
    ['float[1,2,1] a = {1, 2}, int64[1] x = {-1}', 'y = Squeeze(a, x)', 'float[1,2] {1.0,2.0}'],
    ['float[1,2,1] a = {1, 2}', 'y = Squeeze<axes = [0]>(a)', 'float[2,1] {1.0,2.0}', 11],
    ['float[1,2,1] a = {1, 2}', 'y = Squeeze(a)', 'float[2] {1.0,2.0}'],
    ['float[1,2,1] a = {1, 2}, int64[1] x = {1}', 'y = Squeeze(a, x)', 'refused'],
    ['float[2] a = {1, 2}, int64[2] x = {0, -1}', 'y = Unsqueeze(a, x)', 'float[1,2,1] {1.0,2.0}'],
    ['float[2] a = {1, 2}, int64[2] x = {0, 0}', 'y = Unsqueeze(a, x)', 'refused'],
    [six, 'y = Transpose<perm = [0, 0]>(a)', 'refused'],
    [
      `${six}, int64[1] s = {-1}, int64[1] e = {-9223372036854775808}, int64[1] x = {1}, int64[1] t = {-2}`,
      'y = Slice(a, s, e, x, t)',
      'float[2,2] {3.0,1.0,6.0,4.0}',
    ],
    [
      `${six}, int64[1] s = {2}, int64[1] e = {9223372036854775807}, int64[1] x = {1}, int64[1] t = {-1}`,
      'y = Slice(a, s, e, x, t)',
      'refused',
    ],
    [six, 'y = Slice<starts = [1], ends = [9], axes = [1]>(a)', 'float[2,2] {2.0,3.0,5.0,6.0}', 9],
    [six, 'x, y = Split<axis = 1, num_outputs = 2>(a)', 'float[2,1] {3.0,6.0}', 18],
    [six, 'x, y = Split<axis = 1>(a)', 'refused', 13],
    [six, 'x, y = Split<axis = 1, split = [1, 2]>(a)', 'float[2,2] {2.0,3.0,5.0,6.0}', 11],
    [`${six}, int64[2] i = {-1, 0}`, 'y = Gather<axis = 1>(a, i)', 'float[2,2] {3.0,1.0,6.0,4.0}'],
    [`${six}, int64 i = {3}`, 'y = Gather<axis = 1>(a, i)', 'refused'],
    [`${six}, bool[3] c = {0, 1, 1}`, 'y = Compress<axis = 1>(a, c)', 'float[2,2] {2.0,3.0,5.0,6.0}'],
    [`${six}, bool[4] c = {0, 1, 1, 1}`, 'y = Compress<axis = 1>(a, c)', 'refused'],
    ['float a = {1}', 'y = NonZero(a)', 'refused'],
    ['int4[3] a = {1, -8, 7}, int64[2] p = {1, 1}', 'y = Pad(a, p)', 'int4[5] {0,1,-8,7,0}', 21],
    ['int64[3] a = {1, 2, 3}, int64[2] p = {2, 2}', 'y = Pad<mode = "reflect">(a, p)', 'int64[7] {3,2,1,2,3,2,1}'],
    ['int64[3] a = {1, 2, 3}, int64[2] p = {3, 0}', 'y = Pad<mode = "reflect">(a, p)', 'refused'],
    ['int64[3] a = {1, 2, 3}, int64[2] p = {2, 1}', 'y = Pad<mode = "wrap">(a, p)', 'int64[6] {2,3,1,2,3,1}', 19],
    ['int64[3] a = {1, 2, 3}, int64[2] p = {-1, 1}, int64 v = {9}', 'y = Pad(a, p, v)', 'int64[3] {2,3,9}'],
    ['float[2] a = {1, 2}', 'y = Pad<pads = [0, 1], value = 5.0>(a)', 'float[3] {1.0,2.0,5.0}', 2],
    [
      'string[2] a = {"a", "b"}, int64[2] r = {1, 2}, string[1,2] u = {"x", "y"}, int64[1,1] i = {0}',
      'b = Identity(a) y = Tile(b, n) n = Constant<value_ints = [2]>()',
      'refused',
    ],
    ['string[2] a = {"a", "b"}, int64[1] n = {2}', 'y = Tile(a, n)', 'string[4] {"a","b","a","b"}'],
    ['float[2] a = {1, 2}, float t = {2}, float x = {0}', 'y = Tile(a, t, x)', 'float[4] {1.0,2.0,1.0,2.0}', 1],
    [
      'float[3] a = {1, 2, 3}, int64[2] i = {0, 0}, float[2] u = {10, 20}',
      'y = ScatterElements<reduction = "add">(a, i, u)',
      'float[3] {31.0,2.0,3.0}',
    ],
    ['float[3] a = {1, 2, 3}, int64[2] i = {0, -3}, float[2] u = {10, 20}', 'y = ScatterElements(a, i, u)', 'refused'],
    [
      'float[2,2] a = {1, 2, 3, 4}, int64[1,1] i = {1}, float[1,2] u = {10, 20}',
      'y = ScatterND(a, i, u)',
      'float[2,2] {1.0,2.0,10.0,20.0}',
    ],
    ['int64[2] i = {1, 7}, int64 d = {3}, int64[2] v = {0, 5}', 'y = OneHot(i, d, v)', 'int64[2,3] {0,5,0,0,0,0}'],
    ['int64[2,2] a = {1, 2, 3, 4}, int64 k = {0}', 'y = Trilu<upper = 0>(a, k)', 'int64[2,2] {1,0,3,4}'],
    ['int64[6] a = {2, 1, 1, 3, 4, 3}', 'x, z, y = Unique<sorted = 0>(a)', 'int64[6] {0,1,1,2,3,2}'],
    ['float[3] a = {1, 3, 3}, int64[1] k = {2}', 'x, y = TopK(a, k)', 'int64[2] {1,2}'],
    ['float[3] a = {1, 3, 3}, int64[1] k = {4}', 'x, y = TopK(a, k)', 'refused'],
    [
      'float[2] a = {1, 2}, float[2] b = {3, 4}',
      'y = Einsum<equation = "i,j->ij">(a, b)',
      'float[2,2] {3.0,4.0,6.0,8.0}',
    ],
    ['float[2,2] a = {1, 2, 3, 4}', 'y = Einsum<equation = "ii">(a)', 'float {5.0}'],
  ]);
});
