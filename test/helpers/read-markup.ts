/** A strict reader of the HTML and SVG that we write: stricter than browsers, so that what passes here means one thing. */

export interface ReadElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (ReadElement | string)[];
}

const VOID = new Set(['meta', 'br', 'col']);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** The root of a page. Throws at whatever is not balanced, not quoted or not escaped. */
export function readMarkup(html: string): ReadElement {
  const doctype = '<!doctype html>\n';
  if (!html.startsWith(doctype)) throw new Error('no doctype');
  const root: ReadElement = { name: '', attributes: new Map(), children: [] };
  const open: ReadElement[] = [root];
  const token = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*)(\/?)>|([^<]+)/y;
  token.lastIndex = doctype.length;
  while (token.lastIndex < html.length) {
    const at = token.lastIndex;
    const match = token.exec(html);
    if (match === null) throw new Error(`not markup at ${at}: ${html.slice(at, at + 80)}`);
    const [, slash, name = '', attributes = '', selfClosing, text] = match;
    const parent = open.at(-1) ?? root;
    if (text !== undefined) {
      parent.children.push(parent.name === 'style' ? text : decode(text));
    } else if (slash === '/') {
      if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}> at ${at}`);
      open.pop();
    } else {
      const element = { name, attributes: readAttributes(attributes), children: [] };
      parent.children.push(element);
      if (selfClosing !== '/' && !VOID.has(name)) open.push(element);
    }
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> stays open`);
  const [page] = root.children;
  if (page === undefined || typeof page === 'string') throw new Error('no element');
  return page;
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/ ([a-zA-Z-]+)(?:="([^"]*)")?/g)) {
    if (attributes.has(name)) throw new Error(`${name} twice`);
    attributes.set(name, decode(value));
  }
  return attributes;
}

function decode(text: string): string {
  const rest = text.replace(/&(amp|lt|gt|quot|#39);/g, '');
  if (rest.includes('&')) throw new Error(`bare & in ${text.slice(0, 80)}`);
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}

/** An element and all below it. */
export function allElements(element: ReadElement): readonly ReadElement[] {
  const below = element.children.flatMap((child) => (typeof child === 'string' ? [] : allElements(child)));
  return [element, ...below];
}

/** All elements of a name. */
export function elementsNamed(element: ReadElement, name: string): readonly ReadElement[] {
  return allElements(element).filter((each) => each.name === name);
}

/** The text in an element, style sheets left out. */
export function textOf(element: ReadElement): string {
  if (element.name === 'style') return '';
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
