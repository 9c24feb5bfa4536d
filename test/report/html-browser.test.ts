/** Pages as a real browser sees them: Chromium, without a window. Skipped where none is installed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BenchReport } from '../../src/report/bench-types.js';
import { benchHtml } from '../../src/report/html/bench-html.js';
import { compareHtml } from '../../src/report/html/compare-html.js';
import { optimizeHtml } from '../../src/report/html/optimize-html.js';
import { quantizeHtml } from '../../src/report/html/quantize-html.js';
import { type Chromium, findChromium, startChromium, type View } from '../helpers/chromium.js';
import { scaled } from '../helpers/limits.js';
import { skipWhere } from '../helpers/skip-where.js';
import { CUT_SHORT, GATED, HOSTILE_NAMES, hostile, PLAIN, SERVER, SWEPT } from './bench-reports.js';
import { compareReport, optimizeReport, quantizeReport } from './model-reports.js';

const browserPath = findChromium();
const WHY_NOT = 'no Chromium: install one (apt-get install chromium), or name it in CHROME_PATH';

const DESKTOP: View = { width: 1280, height: 900 };
const PHONE: View = { width: 390, height: 800 };

const PROFILED: BenchReport = {
  ...GATED,
  configurations: GATED.configurations.map((each) => ({
    ...each,
    profile: {
      runs: 20,
      providers: [{ provider: 'CPUExecutionProvider', nodes: 3, kernelMs: 12 }],
      operators: [{ opType: 'Conv', provider: 'CPUExecutionProvider', nodes: 2, msPerRun: 0.6, share: 1 }],
      nodes: [{ name: '/conv', opType: 'Conv', provider: 'CPUExecutionProvider', msPerRun: 0.3, share: 0.5 }],
    },
  })),
};

const LONG: BenchReport = {
  ...SWEPT,
  configurations: SWEPT.configurations.map((each, i) => ({ ...each, label: `${i}${'x'.repeat(200)}` })),
};

/** Pages, and how many drawings they have at least. */
const PAGES: readonly (readonly [name: string, html: () => string, drawings: number])[] = [
  ['plain', () => benchHtml(PLAIN), 4],
  ['swept', () => benchHtml(SWEPT), 18],
  ['gated', () => benchHtml(PROFILED), 7],
  ['server', () => benchHtml(SERVER), 5],
  ['cut short', () => benchHtml(CUT_SHORT), 0],
  ['long labels', () => benchHtml(LONG), 18],
  ['compare', () => compareHtml(compareReport('model.onnx')), 1],
  ['optimize', () => optimizeHtml(optimizeReport('model.onnx')), 2],
  ['quantize', () => quantizeHtml(quantizeReport('model.onnx')), 2],
];

/** What of a page is drawn: marks of every drawing that is shown, with their boxes on the screen. */
const DRAWINGS = `[...document.querySelectorAll('svg')].filter((svg) => svg.checkVisibility()).map((svg) => {
  const page = document.documentElement.clientWidth;
  const box = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll('.mark, .dots, .envelope, .curve')].map((mark) => {
    const { width, height, left, right } = mark.getBoundingClientRect();
    return { size: Math.max(width, height), inside: left >= box.left - 8 && right <= box.right + 8 };
  });
  return { label: svg.getAttribute('aria-label'), role: svg.getAttribute('role'), width: box.width, height: box.height,
    inPage: box.left >= 0 && box.right <= page, marks: marks.length, drawn: marks.every(({ size }) => size > 0),
    inside: marks.every(({ inside }) => inside), text: [...svg.querySelectorAll('text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * box.width / svg.viewBox.baseVal.width) };
})`;

interface Drawing {
  readonly label: string;
  readonly role: string;
  readonly width: number;
  readonly height: number;
  readonly inPage: boolean;
  readonly marks: number;
  readonly drawn: boolean;
  readonly inside: boolean;
  readonly text: readonly number[];
}

/** The least contrast of text against what is painted behind it, by the formula of WCAG 2. */
const LEAST_CONTRAST = `(() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (element) => { for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor); if (colour.length === 3 || colour[3] > 0) return colour; }
    return [255, 255, 255]; };
  let least = { ratio: 99, text: '' };
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim();
    if (own === '' || element.localName === 'title' || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(element instanceof SVGElement ? style.fill : style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, text: own };
  }
  return least;
})()`;

/** Words of letters, as long as words are, that stand on two lines. */
const BROKEN_WORDS = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.checkVisibility() || node.parentElement.closest('code')) continue;
    for (const match of node.data.matchAll(/(?<![\\p{L}])\\p{L}{2,24}(?![\\p{L}])/gu)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const tops = new Set([...range.getClientRects()].filter(({ width }) => width > 0).map(({ top }) => Math.round(top)));
      if (tops.size > 1) broken.push(match[0] + ' in ' + node.data.slice(0, 60));
    }
  }
  return broken;
})()`;

skipWhere(browserPath === undefined, WHY_NOT).describe('pages in a browser', () => {
  let browser: Chromium;
  const folder = mkdtempSync(join(tmpdir(), 'pages-'));

  beforeAll(async () => {
    browser = await startChromium(browserPath ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(html: string, view: View): Promise<string> {
    const path = join(folder, 'report.html');
    writeFileSync(path, html);
    const url = pathToFileURL(path).href;
    await browser.page.open(url, view);
    return url;
  }

  it.each(PAGES)('draw every chart without a complaint: %s', async (_name, html, count) => {
    const url = await open(html(), DESKTOP);
    for (const view of [DESKTOP, { ...DESKTOP, dark: true }, PHONE, { ...PHONE, width: 320 }]) {
      await browser.page.show(view);
      await browser.page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
      const drawings = await browser.page.evaluate<readonly Drawing[]>(DRAWINGS);
      expect(drawings.length).toBeGreaterThanOrEqual(count);
      for (const drawing of drawings) {
        expect(drawing).toMatchObject({ role: 'img', inPage: true, drawn: true, inside: true });
        expect(drawing.label.length).toBeGreaterThan(0);
        expect(drawing.marks, drawing.label).toBeGreaterThan(0);
        expect(Math.min(drawing.width, drawing.height)).toBeGreaterThan(12);
        expect(Math.min(...drawing.text), `text of ${drawing.label} can be read`).toBeGreaterThan(8);
      }
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await browser.page.evaluate(overflow), 'the page itself does not scroll sideways').toBe(0);
    }
    expect(browser.page.events.complaints).toEqual([]);
    expect(browser.page.events.requests).toEqual([url]);
  });

  it.each(PAGES)('break no word on a phone: %s', async (_name, html) => {
    await open(html(), PHONE);
    await browser.page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
    expect(await browser.page.evaluate(BROKEN_WORDS)).toEqual([]);
  });

  it.each(HOSTILE_NAMES)('run, load and show nothing for %j', async (name) => {
    const url = await open(benchHtml(hostile(name)), DESKTOP);
    expect(browser.page.events).toEqual({ complaints: [], requests: [url] });
    expect(
      await browser.page.evaluate('document.querySelectorAll("script,img,failure,iframe,object,link").length'),
    ).toBe(0);
    expect(
      await browser.page.evaluate(
        '[...document.querySelectorAll("*")].flatMap((each) => each.getAttributeNames()).filter((key) => /^on|^style$|^src$/.test(key))',
      ),
    ).toEqual([]);
    expect(
      await browser.page.evaluate('[...document.links].every((link) => link.getAttribute("href")[0] === "#")'),
    ).toBe(true);
    expect(await browser.page.evaluate('document.querySelectorAll("main").length')).toBe(1);
  });

  it.each([
    ['light', false],
    ['dark', true],
  ])('have text that can be read in %s', async (_name, dark) => {
    for (const [, html] of PAGES) {
      await open(html(), { ...DESKTOP, dark });
      const { ratio, text } = await browser.page.evaluate<{ ratio: number; text: string }>(LEAST_CONTRAST);
      expect(ratio, text).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('change their colours with the screen, and are light on paper', async () => {
    await open(benchHtml(PLAIN), DESKTOP);
    const ground = 'getComputedStyle(document.body).backgroundColor';
    const light = await browser.page.evaluate(ground);
    await browser.page.show({ ...DESKTOP, dark: true });
    expect(await browser.page.evaluate(ground)).not.toBe(light);
    await browser.page.show({ ...DESKTOP, dark: true, media: 'print' });
    expect(await browser.page.evaluate(ground)).toBe(light);
  });

  it('forbid scripts and styles that are not their own', async () => {
    await open(benchHtml(PLAIN), DESKTOP);
    await browser.page.evaluate(
      `document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))`,
    );
    await browser.page.evaluate(
      `document.body.append(Object.assign(document.createElement('img'), { src: 'https://example.invalid/x.png' }))`,
    );
    await browser.page.evaluate(
      `document.body.append(Object.assign(document.createElement('style'), { textContent: 'body{color:red}' }))`,
    );
    expect(await browser.page.evaluate('window.ran ?? 0')).toBe(0);
    // The browser tells of what it blocked when it comes to it.
    const blocked = (): number =>
      browser.page.events.complaints.filter((text) => text.includes('Content Security Policy')).length;
    await expect.poll(blocked, { timeout: scaled(30_000) }).toBe(3);
  });

  it('can be photographed', async () => {
    await open(benchHtml(PLAIN), PHONE);
    expect((await browser.page.screenshot()).subarray(1, 4).toString()).toBe('PNG');
  });
});
