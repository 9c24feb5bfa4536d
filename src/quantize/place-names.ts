/** Places where a quantized model may run, as users write them. Help, completion and documentation come from these rows. */
export interface PlaceRow {
  readonly name: string;
  readonly summary: string;
  /** What its schemes are taken from. */
  readonly source: string;
}

export const PLACE_ROWS = [
  {
    name: 'ort-cpu',
    summary: "ONNX Runtime's integer kernels; guards against 16-bit sums where this machine has them",
    source: 'onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "Data type selection"',
  },
  {
    name: 'ort-cpu:avx2',
    summary: 'the same for x86 without VNNI, whose sums of two products saturate at 16 bits',
    source:
      'onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "When and why do I need to try U8U8?"',
  },
  {
    name: 'ort-cpu:vnni',
    summary: 'the same for x86 with VNNI or AMX, and for ARM: sums of 32 bits',
    source:
      'onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "When and why do I need to try U8U8?"',
  },
  {
    name: 'ort-cuda',
    summary: 'symmetric INT8 and biases in FP32, which the CUDA provider has kernels for',
    source: 'onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "Quantization on GPU"',
  },
  {
    name: 'tensorrt',
    summary: 'symmetric INT8, pairs before layers and skip connections',
    source: 'NVIDIA TensorRT documentation, "Explicit Quantization", Q/DQ layer-placement recommendations',
  },
  {
    name: 'openvino',
    summary: 'UINT8 activations, symmetric weights, biases in FP32: the preset mixed of NNCF',
    source: 'docs.openvino.ai, "Basic Quantization Flow", preset mixed',
  },
  {
    name: 'qnn',
    summary: 'UINT8 activations and weights, one scale a tensor: QNN on HTP',
    source: 'onnxruntime.ai/docs/execution-providers/QNN-ExecutionProvider.html; get_qnn_qdq_config of ONNX Runtime',
  },
] as const satisfies readonly PlaceRow[];

/** Name of a place. */
export type PlaceName = (typeof PLACE_ROWS)[number]['name'];
export const PLACE_NAMES: readonly PlaceName[] = PLACE_ROWS.map(({ name }) => name);

/** Forms of static INT8: quantize–dequantize pairs, or operators on integers. */
export const QUANTIZED_FORMATS = ['qdq', 'qoperator'] as const;
/** One of `QUANTIZED_FORMATS`. */
export type QuantizedFormat = (typeof QUANTIZED_FORMATS)[number];
