import type { TritonReport } from '../../../report/triton-types.js';
import type { ServingOptions } from '../../../targets/triton/triton-options.js';
import type { ModelOptions, RefusalOptions, SourceOptions } from '../../options.js';
import type { ReadingOptions } from '../../reading-options.js';
import type { WritePackageOptions } from '../write-package.js';

/** What every call that writes into a repository takes. */
export interface RepositoryOptions extends WritePackageOptions, RefusalOptions<TritonReport> {
  /** Name of the model in the repository. Default: made of the file name. */
  readonly name?: string;
  /** Version to write: a number from 1 on, or `next` for the one behind the last. Default 1. */
  readonly version?: number | 'next';
  /** Do everything except writing. */
  readonly dryRun?: boolean;
  /** Replace a version, or a configuration that differs. */
  readonly force?: boolean;
}

/** Options of `packageTriton`. */
export interface PackageTritonOptions
  extends SourceOptions,
    ModelOptions,
    ServingOptions,
    RepositoryOptions,
    ReadingOptions {
  /** File with class names, one a line. */
  readonly labelsPath?: string;
  /** The output that they belong to. */
  readonly outputName?: string;
  /** Have the server run the model before it is ready. */
  readonly warmup?: boolean;
  /** Samples for it; default synthetic ones. */
  readonly dataPath?: string;
  /** Sizes of open dimensions of synthetic ones, by name or by `input:axis`. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Seed of synthetic ones. Default 0. */
  readonly seed?: number;
  /** What the file is; default an ONNX model, unless it is an engine with its report beside it. */
  readonly platform?: 'onnxruntime_onnx' | 'tensorrt_plan';
  /** Inputs of an engine, each as `NAME:TYPE:SIZES`. */
  readonly engineInputs?: readonly string[];
  /** Outputs of an engine. */
  readonly engineOutputs?: readonly string[];
  /** Load and run the model in ONNX Runtime first. Default true, for models up to 256 MiB. */
  readonly verify?: boolean;
}

/** Options of `packageTritonEnsemble`. */
export interface PackageEnsembleOptions
  extends RepositoryOptions,
    Pick<ServingOptions, 'maxBatch' | 'fields' | 'policy' | 'cache'> {
  /** Connections besides those by name. */
  readonly map?: readonly string[];
}
