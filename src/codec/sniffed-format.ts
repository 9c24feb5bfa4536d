/** What a file that is not an ONNX model looks like, and what to do about it. */
export interface SniffedFormat {
  /** Completes "it looks like …". */
  readonly format: string;
  readonly hint: string;
}
