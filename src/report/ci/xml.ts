import { safeText } from '../safe-text.js';

/** Attributes in the order they are written; undefined leaves one out. */
export type XmlAttributes = Readonly<Record<string, string | number | undefined>>;

/** An element on lines of its own, two spaces deeper than its parent. `children` are elements made by this function. */
export function xmlElement(name: string, attributes: XmlAttributes, children: readonly string[] = []): string {
  const start = startTag(name, attributes);
  if (children.length === 0) return `<${start}/>`;
  const inner = children.join('\n').replace(/^/gm, '  ');
  return `<${start}>\n${inner}\n</${name}>`;
}

/** An element with text, which is on one line. */
export function xmlTextElement(name: string, attributes: XmlAttributes, text: string): string {
  return `<${startTag(name, attributes)}>${xmlText(text)}</${name}>`;
}

/**
 * Text or the value of an attribute: what XML has no place for (control characters, half surrogates, U+FFFE) is there as
 * visible escapes or gone, and nothing of it is markup, nor `##[`, which a log of GitHub Actions may read as a command. `>` is escaped too, as `]]>` may not stand in text.
 */
export function xmlText(text: string): string {
  return safeText(text, LONGEST_TEXT)
    .replace(ILLEGAL, '')
    .replace(/[&<>"']|(?<=#)#(?=\[)/g, (character) => `&#${character.charCodeAt(0)};`);
}

const LONGEST_TEXT = 8000;

/** All but the characters that XML 1.0 allows (production Char); safeText has seen to the most of them. */
const ILLEGAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function startTag(name: string, attributes: XmlAttributes): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${xmlText(String(value))}"`],
  );
  return name + written.join('');
}
