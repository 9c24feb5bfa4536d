import type { WeightSparsity } from './sparsity.js';

/** The weight of a layer, as runtimes look at it. */
export interface SparseLayer {
  readonly opType: string;
  readonly dims: readonly number[];
  /** The axis that the layer sums over. */
  readonly inputAxis: number;
  readonly sparsity: WeightSparsity;
}

/** A runtime, and what it wants of zeros. */
export interface SparseRuntime {
  readonly name: string;
  /** What it needs besides: hardware, precision, options. */
  readonly needs: string;
  /** Whether it can skip zeros of a layer; undefined where it skips none of any. */
  readonly uses?: (layer: SparseLayer) => boolean;
}

const TENSOR_CORE_LAYERS: ReadonlySet<string> = new Set(['Conv', 'Gemm', 'MatMul']);

/** At most two of every four along the axis that is summed over: what sparse tensor cores can skip. */
function isTwoOfFour({ opType, inputAxis, dims, sparsity: { pattern } }: SparseLayer): boolean {
  if (!TENSOR_CORE_LAYERS.has(opType) || pattern === undefined || pattern.axis !== inputAxis) return false;
  // 1:2 and 1:4 keep no more than two of four; of 4:8 and 2:8, all may stand in one half.
  const withinFour = pattern.of <= 4 ? pattern.kept * (4 / pattern.of) : pattern.kept;
  return withinFour <= 2 && (dims[inputAxis] as number) % 4 === 0;
}

/** Share of zeros from which a kernel without a pattern can be faster than a dense one. */
const WORTHWHILE_SHARE = 0.7;

function isMostlyZero({ opType, sparsity: { zeros, elements } }: SparseLayer): boolean {
  return TENSOR_CORE_LAYERS.has(opType) && zeros >= WORTHWHILE_SHARE * elements;
}

/**
 * What runtimes that load ONNX models do with zeros, by their documentation: TensorRT's developer guide ("Structured Sparsity"), OpenVINO's
 * page on its CPU device ("Sparse weights decompression"), DeepSparse's readme. ONNX Runtime's kernels have no sparse form.
 */
export const SPARSE_RUNTIMES: readonly SparseRuntime[] = [
  {
    name: 'TensorRT 8 and newer',
    needs: '2:4 along the inputs, an Ampere or newer GPU, FP16 or INT8, --sparsity=enable',
    uses: isTwoOfFour,
  },
  {
    name: 'ONNX Runtime with the TensorRT provider',
    needs: '2:4 along the inputs, an Ampere or newer GPU, trt_fp16_enable or INT8, trt_sparsity_enable',
    uses: isTwoOfFour,
  },
  {
    name: 'DeepSparse (ended in 2025)',
    needs: `any order, from about ${100 * WORTHWHILE_SHARE} % zeros, an x86 CPU with AVX2 or newer`,
    uses: isMostlyZero,
  },
  {
    name: 'OpenVINO on a CPU',
    needs: 'INT8 MatMul weights mostly zero, sizes multiples of 64, a CPU with AMX, sparse_weights_decompression_rate',
    uses: (layer) =>
      layer.opType !== 'Conv' &&
      isMostlyZero(layer) &&
      layer.dims.length === 2 &&
      layer.dims.every((n) => n % 64 === 0),
  },
  { name: 'ONNX Runtime on a CPU', needs: 'skips no zeros: cut shapes instead (prune --amount)' },
  { name: 'ONNX Runtime with CUDA', needs: 'skips no zeros: use its TensorRT provider' },
];
