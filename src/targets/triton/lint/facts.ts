import type { TritonDataType } from '../../../proto/model-config.js';

/** A file or folder of a repository. Links are followed inside of it only: `outside` leads elsewhere, `broken` nowhere. */
export interface EntryFacts {
  readonly kind: 'file' | 'folder' | 'outside' | 'broken' | 'other';
  /** Of a file. */
  readonly sizeBytes: number;
}

/** A configuration as it was read: its bytes, or why it could not be read. */
export interface ConfigFacts {
  /** Relative to the folder of the model: `config.pbtxt`, `configs/gpu.pbtxt`. */
  readonly path: string;
  readonly bytes?: Uint8Array;
  readonly unreadable?: string;
}

/** An input or output of an ONNX model, as ONNX Runtime reports it to Triton. */
export interface TensorFacts {
  readonly name: string;
  /** Undefined for what Triton has no type for. */
  readonly type: TritonDataType | undefined;
  /** Whether it is a tensor: not a sequence, map or optional. */
  readonly isTensor: boolean;
  /** For messages: `float[N, 4]`. */
  readonly typeText: string;
  /** Open dimensions are -1. Undefined where the rank is unknown. */
  readonly dims: readonly number[] | undefined;
  /** Of an output: what the file declares, where it is not known whether ONNX Runtime reports that or `dims`. */
  readonly otherDims?: readonly number[];
}

/** What the lint knows of an ONNX file, or why it cannot be served. */
export interface OnnxFacts {
  readonly problem?: string;
  /** Inputs that requests must carry. */
  readonly inputs: readonly TensorFacts[];
  /** Inputs that have a default in the model. */
  readonly defaults: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** Operators that ONNX Runtime does not have, as `domain::Name`. */
  readonly unknownOperators: readonly string[];
}

/** A file of labels: how many lines it has, or why it could not be read. */
export interface LabelFacts {
  readonly lines?: number;
  readonly unreadable?: string;
}

/** What is in the folder of one model. All paths are relative to it, with slashes. */
export interface ModelFolderFacts {
  readonly name: string;
  /** Of the folder, relative to what is checked; empty where it is that itself. */
  readonly path: string;
  /** Files and folders of the folder, of version folders and of those with a meaning. */
  readonly entries: ReadonlyMap<string, EntryFacts>;
  /** Why entries are missing. */
  readonly unreadable?: string;
  readonly config?: ConfigFacts;
  /** Those of `configs/`, which a server takes by `--model-config-name`. */
  readonly otherConfigs: readonly ConfigFacts[];
  /** ONNX files by path. */
  readonly onnx: ReadonlyMap<string, OnnxFacts>;
  readonly labels: ReadonlyMap<string, LabelFacts>;
}

/** What is checked: the folder of one model, or of many. */
export interface RepositoryFacts {
  readonly kind: 'repository' | 'model';
  readonly models: readonly ModelFolderFacts[];
}
