import type { ImageOptions } from '../../samples/images/image-options.js';
import type { RecipeFlag } from '../../samples/images/parse-image-options.js';

/** What a request to the packaged model carries. JSON tensors are taken with all of them. */
export const PREPROCESS_KINDS = ['json', 'image', 'text'] as const;
/** One of `PREPROCESS_KINDS`. */
export type PreprocessKind = (typeof PREPROCESS_KINDS)[number];

/** How an archive is stored: a zip file, a compressed tar file, or a plain folder. */
export const MAR_FORMATS = ['mar', 'tgz', 'folder'] as const;
/** One of `MAR_FORMATS`. */
export type MarFormat = (typeof MAR_FORMATS)[number];

/** Where the handler runs the model. `auto` takes a GPU where TorchServe assigns one and ONNX Runtime has CUDA. */
export const MAR_DEVICES = ['auto', 'cpu', 'gpu'] as const;
/** One of `MAR_DEVICES`. */
export type MarDevice = (typeof MAR_DEVICES)[number];

/** How texts become the model's input. */
export interface TextOptions {
  /** A tokenizer.json of the `tokenizers` library, or a vocab.txt of BERT. */
  readonly tokenizerPath: string;
  /** Tokens after which a text is cut; default the fixed length of the input, else what the tokenizer says, else 512. */
  readonly maxLength?: number;
}

/** What the archive is to be, besides the model. */
export interface MarOptions {
  /** Name on the server: letters, digits, `_`, `-` and `.`. */
  readonly name: string;
  readonly version: string;
  readonly preprocess: PreprocessKind;
  readonly image?: ImageOptions;
  /** The flag that errors about `image` name. Default `--pixels`. */
  readonly imageFlag?: RecipeFlag;
  readonly text?: TextOptions;
  /** Names of the classes, in the order of their indices. */
  readonly labels?: readonly string[];
  /** How many classes a response has; without it and without labels, responses have the outputs. */
  readonly topK?: number;
  /** Turn the scores of the classes into probabilities. */
  readonly softmax?: boolean;
  /** The output that holds the classes, where it is not plain. */
  readonly outputName?: string;
  readonly device: MarDevice;
  /** Numbers of GPUs; default all. */
  readonly deviceIds?: readonly number[];
  /** Worker processes, each with a session of its own. */
  readonly workers: number;
  /** Requests that a worker gets at once; default 8 where the model can run them together, else 1. */
  readonly batchSize?: number;
  /** How long a worker waits for a batch to fill, in milliseconds. */
  readonly maxBatchDelayMs: number;
  /** After which a worker without a response is ended, in seconds. */
  readonly responseTimeoutSeconds: number;
  /** After which a worker that does not start is ended, in seconds. */
  readonly startupTimeoutSeconds: number;
  /** Intra-op threads of a worker; default the processors divided by the workers, counted where it runs. */
  readonly threads?: number;
  /** Time of `createdOn`, in seconds since 1970 (SOURCE_DATE_EPOCH). Default the start of 1980. */
  readonly sourceDate?: number;
}

export const MAR_DEFAULTS = {
  version: '1.0',
  preprocess: 'json',
  device: 'auto',
  workers: 1,
  maxBatchDelayMs: 5,
  responseTimeoutSeconds: 120,
  startupTimeoutSeconds: 120,
} as const satisfies Partial<MarOptions>;

/** Requests in a batch, where the model can run them together. */
export const DEFAULT_BATCH_SIZE = 8;
/** Classes of a response with labels. */
export const DEFAULT_TOP_K = 5;
