import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, escapeText, fragment, trusted } from '../../../src/report/html/markup.js';
import { elementsNamed, readMarkup, textOf } from '../../helpers/read-markup.js';

describe('element', () => {
  it('escapes children and values of attributes', () => {
    expect(String(element('p', { class: `a"b'<` }, '<b>&amp;', 3))).toBe(
      '<p class="a&quot;b&#39;&lt;">&lt;b&gt;&amp;amp;3</p>',
    );
  });

  it('takes markup as it is', () => {
    expect(String(element('p', {}, element('b', {}, 'x'), fragment('<', trusted('<i></i>'))))).toBe(
      '<p><b>x</b>&lt;<i></i></p>',
    );
  });

  it('does not take for markup what only looks like it', () => {
    const forged = { toString: () => '<script>' } as unknown as string;
    expect(String(element('p', { id: forged }, forged))).toBe('<p id="&lt;script&gt;">&lt;script&gt;</p>');
  });

  it('ends empty shapes and void elements in themselves, and no others', () => {
    expect(String(fragment(element('rect', { x: 1 }), element('meta', {}), element('td', {}), element('g', {})))).toBe(
      '<rect x="1"/><meta><td></td><g></g>',
    );
  });

  it('rounds coordinates, and has none that browsers refuse', () => {
    const attributes = { a: 1.23456, b: Number.NaN, c: Number.POSITIVE_INFINITY, d: undefined, e: true as const };
    expect(String(element('rect', attributes))).toBe('<rect a="1.23" b="0" c="0" e/>');
  });

  it('never cuts the data of a path', () => {
    const data = 'M0 0h1'.repeat(2000);
    expect(String(element('path', { d: trusted(data) }))).toContain(data);
  });

  it('makes any text harmless', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const page = readMarkup(`<!doctype html>\n${element('p', { title: text }, text)}`);
        expect(elementsNamed(page, 'p')).toHaveLength(1);
        expect(page.attributes.get('title')).toBe(textOf(page));
        expect(escapeText(text)).not.toMatch(/[<>"']|[^\P{C}\p{Cn}\p{Co}\p{Cf}]/u);
      }),
    );
  });
});

describe('readMarkup', () => {
  it.each([
    '<p><b></p></b>',
    '<p>',
    '</p>',
    '<p class=a></p>',
    '<p class="a" class="b"></p>',
    '<p>a & b</p>',
    '<p>&nbsp;</p>',
    '<!-- -->',
    '<p title="<"></p>',
    "<p onclick='x'></p>",
  ])('refuses %s', (html) => {
    expect(() => readMarkup(`<!doctype html>\n<html lang="en">${html}</html>`)).toThrow();
  });
});
