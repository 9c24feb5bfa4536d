import { createHash } from 'node:crypto';
import { type Child, element, trusted } from './markup.js';
import { STYLE } from './style.js';

/**
 * Nothing may be loaded, run or sent: only the one style sheet counts, by its hash. So even what should slip through the
 * escaping stays without effect. Nothing here may have a style attribute, which the hash does not cover.
 */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** A whole page that needs nothing beside itself. */
export function page(title: string, ...children: readonly Child[]): string {
  const head = element(
    'head',
    {},
    // First of all, so that no byte of the title can change how the rest is read.
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    element('meta', { name: 'referrer', content: 'no-referrer' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('title', {}, title),
    element('style', {}, trusted(STYLE)),
  );
  const body = element('body', {}, element('main', { class: 'page' }, ...children));
  return `<!doctype html>\n${element('html', { lang: 'en' }, head, body)}\n`;
}
