import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextTokenizer } from '../../../src/samples/texts/tokenizer.js';

const FOLDER = join(import.meta.dirname, 'references');
type Row = readonly [ids: readonly number[], types: readonly number[]];

/** What the library `tokenizers` of Python gives (scripts/make-tokenizer-references.py). */
const EXPECTED: {
  readonly texts: readonly string[];
  readonly pair: string;
  readonly kinds: Readonly<Record<string, Readonly<Record<string, readonly Row[]>>>>;
} = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));

describe.each(Object.entries(EXPECTED.kinds))('a tokenizer.json as of %s', (kind, rows) => {
  it.each(Object.entries(rows))('gives the tokens of Python, %s', async (way, expected) => {
    const tokenizer = await TextTokenizer.load(join(FOLDER, `${kind}.json`));
    const pair = way.endsWith('pair') ? EXPECTED.pair : undefined;
    const length = way.startsWith('whole') ? Number.POSITIVE_INFINITY : 12;
    for (const [at, text] of EXPECTED.texts.entries()) {
      const { ids, types = ids.map(() => 0) } = tokenizer.encode(text, pair, length);
      const [wanted = [], wantedTypes] = expected[at] ?? [];
      // Two ways to cut a text may be equally likely: which one is taken depends on the order of the search.
      if (kind === 't5' && wanted.join() !== ids.join()) {
        expect(ids).toHaveLength(wanted.length);
        if (way.startsWith('whole')) expect(likelihood(kind, ids)).toEqual(likelihood(kind, wanted));
      } else expect({ text, ids, types }).toEqual({ text, ids: wanted, types: wantedTypes });
    }
  });
});

/** The text of tokens of a Unigram model, and the sum of their logarithms. */
function likelihood(kind: string, ids: readonly number[]): readonly [string, string] {
  const { model } = JSON.parse(readFileSync(join(FOLDER, `${kind}.json`), 'utf8'));
  const pieces = ids.map((id) => model.vocab[id] as readonly [string, number]);
  return [pieces.map(([text]) => text).join(''), pieces.reduce((sum, [, value]) => sum + value, 0).toFixed(6)];
}

describe('a tokenizer', () => {
  it('is made of a vocab.txt of BERT', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-vocab-'));
    const { model } = JSON.parse(readFileSync(join(FOLDER, 'bert.json'), 'utf8'));
    const words = Object.entries(model.vocab as Record<string, number>).sort((a, b) => a[1] - b[1]);
    writeFileSync(join(folder, 'vocab.txt'), `${words.map(([word]) => word).join('\n')}\n`);
    const [made, given] = [
      await TextTokenizer.load(join(folder, 'vocab.txt')),
      await TextTokenizer.load(join(FOLDER, 'bert.json')),
    ];
    for (const text of EXPECTED.texts)
      expect(made.encode(text, undefined, 64)).toEqual(given.encode(text, undefined, 64));
    rmSync(folder, { recursive: true });
  });

  it('takes a very long text', async () => {
    const tokenizer = await TextTokenizer.load(join(FOLDER, 'llama.json'));
    expect(tokenizer.encode('beautiful is better than ugly. '.repeat(2000), undefined, 100).ids).toHaveLength(100);
  });

  it('is refused where it is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-vocab-'));
    const path = join(folder, 'tokenizer.json');
    for (const text of ['{', '{}', '{"model":{"type":"Nothing","vocab":{}}}']) {
      writeFileSync(path, text);
      await expect(TextTokenizer.load(path)).rejects.toMatchObject({ code: 'SO4001' });
    }
    writeFileSync(join(folder, 'vocab.txt'), 'a\nb\n');
    await expect(TextTokenizer.load(join(folder, 'vocab.txt'))).rejects.toMatchObject({
      why: 'the vocabulary has no [UNK]',
    });
    rmSync(folder, { recursive: true });
  });
});
