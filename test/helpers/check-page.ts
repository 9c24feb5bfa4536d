import { expect } from 'vitest';
import { allElements, elementsNamed, type ReadElement, readMarkup, textOf } from './read-markup.js';

/** Elements and attributes that a page may have; nothing here can load, run or send anything. */
const ELEMENTS =
  /^(html|head|meta|title|style|body|main|header|footer|nav|section|h[1-3]|p|b|strong|span|bdi|code|a|ul|li|dl|dt|dd|div|table|thead|tbody|tr|th|td|figure|figcaption|details|summary|svg|g|path|rect|circle|text)$/;
const ATTRIBUTES =
  /^(lang|charset|http-equiv|content|name|class|id|href|open|scope|tabindex|role|aria-label|aria-hidden|viewBox|d|x|y|width|height|rx|cx|cy|r|text-anchor|stroke-width)$/;

/** The page as its elements; fails where a rule of all pages is broken. */
export function checkPage(html: string): ReadElement {
  const page = readMarkup(html);
  const ids = new Set<string>();
  for (const { name, attributes } of allElements(page)) {
    expect(name).toMatch(ELEMENTS);
    for (const [key, value] of attributes) {
      expect(key).toMatch(ATTRIBUTES);
      if (/^(d|x|y|width|height|rx|cx|cy|r|viewBox|stroke-width)$/.test(key)) {
        expect(value, `${key} of ${name}`).toMatch(/^[MLHVZhv0-9. -]*$/);
      }
    }
    const id = attributes.get('id');
    if (id !== undefined) {
      expect(ids, 'one element an id').not.toContain(id);
      ids.add(id);
    }
  }
  for (const link of elementsNamed(page, 'a')) {
    const target = link.attributes.get('href') ?? '';
    expect(target).toMatch(/^#[a-z0-9-]+$/);
    expect(ids).toContain(target.slice(1));
  }
  for (const figure of elementsNamed(page, 'figure')) {
    const [caption] = elementsNamed(figure, 'figcaption');
    expect(caption === undefined ? '' : textOf(caption)).toMatch(/\w.*[.]/);
  }
  for (const drawing of elementsNamed(page, 'svg')) {
    expect(drawing.attributes.get('role')).toBe('img');
    expect(drawing.attributes.get('aria-label')).not.toBe('');
  }
  return page;
}

/** Elements and attributes in their order, without their values: what a hostile name must not change. */
export function skeletonOf(page: ReadElement): readonly string[] {
  return allElements(page).map(({ name, attributes }) => `${name} ${[...attributes.keys()].join(' ')}`);
}

/** What the drawings of a page say they are. */
export function drawingsOf(page: ReadElement): readonly string[] {
  return elementsNamed(page, 'svg').map(({ attributes }) => attributes.get('aria-label') ?? '');
}
