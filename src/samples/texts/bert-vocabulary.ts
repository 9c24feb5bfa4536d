/**
 * The tokenizer that a vocab.txt of BERT stands for, in the form of a tokenizer.json; why there is none where a token is missing.
 * Texts are in lower case where the vocabulary has no capital letters.
 */
export function bertTokenizer(text: string): Readonly<Record<string, unknown>> | string {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const vocab = new Map(lines.map((token, id) => [token, id]));
  const missing = ['[UNK]', '[CLS]', '[SEP]'].find((token) => !vocab.has(token));
  if (missing !== undefined) return `the vocabulary has no ${missing}`;
  const lowercase = !lines.some((line) => /[A-Z]/.test(line) && !line.startsWith('['));
  const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].filter((token) => vocab.has(token));
  return {
    added_tokens: specials.map((content) => ({
      id: vocab.get(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'BertProcessing',
      sep: ['[SEP]', vocab.get('[SEP]')],
      cls: ['[CLS]', vocab.get('[CLS]')],
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  };
}
