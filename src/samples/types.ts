/** What a model is fed and gives, as plain data that crosses between processes. No ONNX Runtime types here. */
import type { Dim } from '../ir/type.js';
import type { DataTypeCode } from '../tensor/dtype.js';
import type { TypedArray } from '../tensor/tensor.js';

/** Elements of a tensor in JavaScript: FLOAT16 and BFLOAT16 as their bits in Uint16Array, BOOL as Uint8Array. */
export type HostData = TypedArray | readonly string[];

export interface HostTensor {
  readonly dataType: DataTypeCode;
  readonly dims: readonly number[];
  readonly data: HostData;
  /** Of labels alone: they are the token after each position, as language models are scored. */
  readonly nextTokens?: true;
}

/** Input name → tensor. A Map, never an object: names come from strangers. */
export type Feeds = Map<string, HostTensor>;

/** What a graph input or output needs, read from the model file itself (not from ONNX Runtime). */
export interface ValueSpec {
  readonly name: string;
  /** Undefined for sequences, maps and optionals. */
  readonly dataType: DataTypeCode | undefined;
  /** Undefined when the rank is unknown. */
  readonly shape: readonly Dim[] | undefined;
  /** Text-syntax type for messages, for example `seq(float[N])`. */
  readonly typeText: string;
  /** For integer inputs that index a table or a dimension of known size: legal values are 0..exclusiveUpper-1. */
  readonly exclusiveUpper?: number;
  /** For inputs compared with or equal to constants in the graph (a sample rate, a mode): values worth feeding. */
  readonly candidates?: readonly number[];
  /** For keys and values of positions before: the axis along which the graph appends new ones. */
  readonly cacheAxis?: number;
}

/** One dimension of one input. */
export interface InputPlace {
  readonly input: string;
  readonly axis: number;
}

/** How synthetic samples are made so that a model accepts them: the job `fitSeeds` finds it by trying. */
export interface SeedPlan {
  /** Row of the table of sizes; 0 is the plainest. */
  readonly sizes: number;
  /** Open sizes that need not be equal to others of their kind, as `equalSizes` in seeded-shapes.ts names them. */
  readonly apart?: readonly string[];
  /** Dimensions as long as past and new positions together. */
  readonly totals?: readonly InputPlace[];
  /** Values that scalar inputs take in turn, by name; an input without a row takes what its specification says. */
  readonly scalars?: ReadonlyMap<string, readonly number[]>;
  /** Samples from this one on take the shapes of the ones before in turn. */
  readonly shapes?: number;
  /** Numbers of the samples, where they are not 0, 1, 2 …: chosen since they reach other branches. */
  readonly samples?: readonly number[];
}

/** Where samples come from: files, or a seed. */
export type SampleSource =
  | {
      readonly kind: 'data';
      /** Folder or file of samples, labels beside. */
      readonly path: string;
      /** Samples to skip first; default 0. */
      readonly first?: number;
      /** At most this many samples; default all. */
      readonly count?: number;
      /** Sizes that open dimensions must have, by name or by `input:axis`; of the batch nothing is asked. */
      readonly dims?: ReadonlyMap<string, number>;
    }
  | {
      readonly kind: 'seeded';
      readonly seed: number;
      readonly count: number;
      /** Sizes at which samples are made, by the name of an open dimension or by `input:axis`. */
      readonly dims?: ReadonlyMap<string, number>;
      /** What suits the model, as the job `fitSeeds` found it; default the plainest sizes. */
      readonly plan?: SeedPlan;
      /** All samples have the shapes and the scalars of sample 0, and differ in their other values only. Default false. */
      readonly sameShapes?: boolean;
    };
