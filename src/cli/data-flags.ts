import { NUMBER_LIMITS } from '../workflows/limits.js';

/** Flags that say how data becomes inputs where it is not arrays. */
export const DATA_FLAGS = {
  preprocess: { value: 'RECIPE', group: 'Data', summary: "images: imagenet, 'resize=256 crop=224 …', FILE" },
  tokenizer: { value: 'PATH', path: true, group: 'Data', summary: 'texts: tokenizer.json, or vocab.txt of BERT' },
  'max-length': {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS['max-length'],
    group: 'Data',
    summary: 'texts: tokens after which they are cut',
  },
} as const;

/** Names of the flags that `readingOptions` reads. */
export const READING_FLAGS = ['preprocess', 'labels', 'tokenizer', 'max-length'] as const;
