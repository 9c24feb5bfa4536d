/** How a model is run, as plain data that crosses between processes. No ONNX Runtime types here. */

/** Value of an option of an execution provider. */
export type ProviderOptionValue = string | number | boolean | readonly string[];

/** An execution provider to use: its name, or that and options by the names that onnxruntime-node gives them. */
export type ExecutionProvider =
  | string
  | { readonly name: string; readonly options: Readonly<Record<string, ProviderOptionValue>> };

/** Options of an ONNX Runtime session, as far as serve-opt sets them. */
export interface SessionOptions {
  /** Execution providers in order; default `['cpu']`. */
  readonly executionProviders?: readonly ExecutionProvider[];
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Intra-op threads; default what `os.availableParallelism()` says. */
  readonly threads?: number;
  /** Plan all activations of a shape as one block: a little faster, more memory. Default true. */
  readonly memoryPattern?: boolean;
  /** Extra session configuration entries, for example `session.disable_prepacking`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Profiles the session; the file's name begins with this path. Its end is `Session.endProfiling`. */
  readonly profilePrefix?: string;
}
