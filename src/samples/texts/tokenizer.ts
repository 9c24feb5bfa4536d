import { basename, extname } from 'node:path';
import type { Tokenizer as Library } from '@huggingface/tokenizers';
import { readSmallTextFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { asJsonObject, isJsonObject } from '../../json-object.js';
import type { TokenPadding, TokenRow } from '../tokens/token-rows.js';
import { bertTokenizer } from './bert-vocabulary.js';

/** Those of large vocabularies take tens of megabytes. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Tokens that pad, where the file does not say which. */
const PAD_TOKENS = ['[PAD]', '<pad>', '<|pad|>', '<|endoftext|>'];
/** Ideographs beyond the first plane: BERT sets them apart as it does the others, which the library leaves out. */
const FAR_IDEOGRAPHS =
  /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** Kinds of models that the library knows. */
const MODELS: ReadonlySet<unknown> = new Set(['BPE', 'WordPiece', 'Unigram']);

type Json = Readonly<Record<string, unknown>>;

/**
 * Token numbers of texts by a tokenizer.json of the `tokenizers` library, or a vocab.txt of BERT: the one door of
 * `@huggingface/tokenizers`, which computes the same in JavaScript. Special tokens are added, and cut texts keep theirs.
 */
export class TextTokenizer {
  /** What its file says of padding, or its token for that. */
  readonly padding: TokenPadding;
  /** Whether the file says how to pad. */
  readonly padsByFile: boolean;
  /** Where its file cuts texts. */
  readonly maxLength: number | undefined;
  readonly #library: Library;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #unknown: number;
  readonly #spacesIdeographs: boolean;
  readonly #lowers: boolean;
  readonly #cutsLeft: boolean;
  /** Special tokens of one text, and of a pair. */
  readonly #specials: readonly [number, number];

  private constructor(library: Library, file: Json) {
    this.#library = library;
    this.#ids = library.get_vocab(true);
    const { unk_token: unknown, unk_id: unknownId } = asJsonObject(file.model) ?? {};
    this.#unknown = typeof unknownId === 'number' ? unknownId : (this.#ids.get(String(unknown)) ?? 0);
    this.#spacesIdeographs = hasNormalizer(
      file.normalizer,
      ({ type, handle_chinese_chars: spaces }) => type === 'BertNormalizer' && spaces !== false,
    );
    this.#lowers = hasNormalizer(
      file.normalizer,
      ({ type, lowercase }) => type === 'Lowercase' || (type === 'BertNormalizer' && lowercase !== false),
    );
    const truncation = asJsonObject(file.truncation);
    this.maxLength = typeof truncation?.max_length === 'number' ? truncation.max_length : undefined;
    this.#cutsLeft = truncation?.direction === 'Left';
    this.padding = this.#paddingOf(asJsonObject(file.padding));
    this.padsByFile = asJsonObject(file.padding) !== undefined;
    this.#specials = [this.#processed([]).tokens.length, this.#processed([], []).tokens.length];
  }

  /** @throws SO2001, SO2002 for a missing file; SO4001 for one that is no tokenizer, or of a kind that is not supported */
  static async load(path: string): Promise<TextTokenizer> {
    const file = basename(path);
    const value = tokenizerJson(path, file);
    const { Tokenizer } = await import('@huggingface/tokenizers');
    try {
      return new TextTokenizer(new Tokenizer(value, {}), value);
    } catch (cause) {
      throw noTokenizer(file, (cause as Error).message, cause);
    }
  }

  /** Token numbers of a text, or of a pair of texts, cut to a length with their special tokens. */
  encode(text: string, pair: string | undefined, maxLength: number): TokenRow {
    const first = this.#tokens(text);
    const second = pair === undefined ? undefined : this.#tokens(pair);
    const room = Math.max(0, maxLength - this.#specials[second ? 1 : 0]);
    const [lengthA, lengthB] = cutLengths(first.length, second?.length ?? 0, room);
    const cut = (tokens: string[], length: number): string[] =>
      this.#cutsLeft ? tokens.slice(tokens.length - length) : tokens.slice(0, length);
    const { tokens, types } = this.#processed(cut(first, lengthA), second && cut(second, lengthB));
    const ids = tokens.map((token) => this.#ids.get(token) ?? this.#unknown);
    return { ids, ...(types ? { types } : {}) };
  }

  #tokens(text: string): string[] {
    const spaced = this.#spacesIdeographs ? text.replace(FAR_IDEOGRAPHS, ' $& ') : text;
    // JavaScript gives the last sigma of a word a form of its own; letters are lowered one by one elsewhere.
    const plain = this.#lowers ? spaced.replaceAll('Σ', 'σ') : spaced;
    return plain === '' ? [] : this.#library.tokenize(plain, { add_special_tokens: false });
  }

  /** With special tokens, as the post-processor has them. */
  #processed(first: string[], second?: string[]): { readonly tokens: string[]; readonly types?: number[] | undefined } {
    const processor = this.#library.post_processor;
    if (!processor)
      return { tokens: [...first, ...(second ?? [])], types: [...first.map(() => 0), ...(second ?? []).map(() => 1)] };
    const { tokens, token_type_ids: types } = processor.post_process(first, second ?? null, true);
    return { tokens, types };
  }

  #paddingOf(told: Json | undefined): TokenPadding {
    if (told)
      return {
        id: Number(told.pad_id ?? 0),
        type: Number(told.pad_type_id ?? 0),
        side: told.direction === 'Left' ? 'left' : 'right',
      };
    const token = PAD_TOKENS.find((each) => this.#ids.has(each));
    return { id: token === undefined ? 0 : (this.#ids.get(token) ?? 0), type: 0, side: 'right' };
  }
}

/** How much of two texts is left: the longer one is cut first, then both alike (`longest_first`). */
function cutLengths(a: number, b: number, room: number): readonly [number, number] {
  if (a + b <= room) return [a, b];
  if (b === 0) return [Math.min(a, room), 0];
  let [least, most] = a <= b ? [a, b] : [b, a];
  most = least > room ? least : Math.max(least, room - least);
  if (least + most > room) {
    least = Math.floor(room / 2);
    most = least + (room % 2);
  }
  return a <= b ? [least, most] : [most, least];
}

/** Whether a normalizer, or one of a sequence, is such. */
function hasNormalizer(value: unknown, isSuch: (normalizer: Json) => boolean): boolean {
  const normalizer = asJsonObject(value);
  if (!normalizer) return false;
  const { normalizers } = normalizer;
  return isSuch(normalizer) || (Array.isArray(normalizers) && normalizers.some((each) => hasNormalizer(each, isSuch)));
}

function tokenizerJson(path: string, file: string): Json {
  const text = readSmallTextFile(path, MOST_BYTES);
  if (extname(path).toLowerCase() === '.txt') {
    const made = bertTokenizer(text);
    if (typeof made === 'string') throw noTokenizer(file, made);
    return made;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw noTokenizer(file, `it is not valid JSON (${(cause as Error).message})`, cause);
  }
  if (!isJsonObject(value) || !isJsonObject(value.model)) throw noTokenizer(file, 'it has no "model"');
  const { type } = value.model;
  if (type !== undefined && !MODELS.has(type))
    throw noTokenizer(file, `its model is of the kind ${type}; supported are ${[...MODELS].join(', ')}`);
  return { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...value };
}

function noTokenizer(file: string, why: string, cause?: unknown): ServeOptError {
  return new ServeOptError('SO4001', `"${file}" is not a tokenizer that can be used`, {
    why: why.split('\n')[0] ?? why,
    hint: 'give the tokenizer.json that the model was published with, or the vocab.txt of a BERT model',
    cause,
  });
}
