/** A release of Triton, with the ONNX Runtime that its image is built with. */
export interface TritonRelease {
  /** Of the image: `nvcr.io/nvidia/tritonserver:26.07-py3`. */
  readonly container: string;
  readonly version: string;
  readonly onnxRuntime: string;
}

/** From `build.py` of Triton's server at the tag of each release, oldest first: where the ONNX Runtime changed. */
export const TRITON_RELEASES: readonly TritonRelease[] = [
  { container: '23.01', version: '2.30.0', onnxRuntime: '1.13.1' },
  { container: '23.03', version: '2.32.0', onnxRuntime: '1.14.1' },
  { container: '23.05', version: '2.34.0', onnxRuntime: '1.15.0' },
  { container: '23.09', version: '2.38.0', onnxRuntime: '1.16.0' },
  { container: '24.03', version: '2.44.0', onnxRuntime: '1.17.2' },
  { container: '24.05', version: '2.46.0', onnxRuntime: '1.18.0' },
  { container: '24.08', version: '2.49.0', onnxRuntime: '1.19.0' },
  { container: '24.12', version: '2.53.0', onnxRuntime: '1.20.1' },
  { container: '25.03', version: '2.56.0', onnxRuntime: '1.21.0' },
  { container: '25.05', version: '2.58.0', onnxRuntime: '1.22.0' },
  { container: '25.08', version: '2.60.0', onnxRuntime: '1.23.0' },
  { container: '26.02', version: '2.66.0', onnxRuntime: '1.24.1' },
  { container: '26.07', version: '2.71.0', onnxRuntime: '1.27.0' },
];
