import type { ValueSpec } from '../samples/types.js';
import type { ExampleTensor } from './example-tensors.js';

/** A file of weights beside a model. */
export interface ExternalFile {
  /** Path relative to the model's folder, with slashes, as the model spells it. */
  readonly location: string;
  /** Path to read. */
  readonly path: string;
}

/** What a target knows of the model that it packages. */
export interface ModelFacts {
  /** Path of the model file. */
  readonly path: string;
  /** Inputs that a request must carry: those with a default are left out, as ONNX Runtime does. */
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  /** One row for the requests of a README; undefined where no request can be written. */
  readonly example: readonly ExampleTensor[] | undefined;
  readonly externalFiles: readonly ExternalFile[];
  /** Version of ai.onnx. */
  readonly opset: number;
  /** Operator domains besides ai.onnx, in the order of the model: a server needs a runtime that has them. */
  readonly domains: readonly string[];
}
