import { parseImageRecipe } from '../samples/images/parse-image-options.js';
import type { ReadingOptions } from '../workflows/reading-options.js';

/** How data is read. @throws SO1006 for a recipe that is none */
export function readingOptions(flags: {
  readonly preprocess?: string;
  readonly tokenizer?: string;
  readonly 'max-length'?: number;
  readonly labels?: string;
}): ReadingOptions {
  const { preprocess, tokenizer, 'max-length': maxLength, labels } = flags;
  const reading = {
    ...(preprocess === undefined ? {} : { preprocess: parseImageRecipe(preprocess) }),
    ...(tokenizer === undefined ? {} : { tokenizerPath: tokenizer }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(labels === undefined ? {} : { labelsPath: labels }),
  };
  return Object.keys(reading).length === 0 ? {} : { reading };
}
