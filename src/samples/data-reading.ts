import type { ImageOptions } from './images/image-options.js';
import type { DecoderConfig } from './tokens/decoder-config.js';

/** How files of samples are read, beside their paths: the same for all data of a run. Plain data, which crosses between processes. */
export interface DataReading {
  /** How images become the input. */
  readonly preprocess?: ImageOptions;
  /** What makes token numbers of texts: a tokenizer.json of the `tokenizers` library, or a vocab.txt of BERT. */
  readonly tokenizerPath?: string;
  /**
   * Tokens after which a text is cut, special ones included. Default: the fixed length of the input, what the tokenizer says, or 512. Of
   * decoders, tokens of a window: see `windowLength`.
   */
  readonly maxLength?: number;
  /** Names of the classes, one a line, or a CSV file with the columns `file` and `label`. */
  readonly labelsPath?: string;
  /** Sizes of open dimensions by name, or by `input:axis`: those of an empty cache that the model leaves open. */
  readonly cacheSizes?: Readonly<Record<string, number>>;
  /** What the genai_config.json beside a decoder says of it. */
  readonly decoder?: DecoderConfig;
}
