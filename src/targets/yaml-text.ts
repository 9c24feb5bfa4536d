import { Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** Plain data that YAML can write. */
export type YamlValue =
  | string
  | number
  | boolean
  | null
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined };

/** A text that every reader takes for a string as it stands; everything else is quoted. */
const PLAIN = /^(--)?[A-Za-z/]([A-Za-z0-9_./:=@,-]*[A-Za-z0-9_/])?$/;

/** Words that YAML 1.1 or 1.2 reads as something else than a string. */
const RESERVED = /^(y|n|yes|no|on|off|true|false|null)$/i;

/** Several lines without characters that a block cannot hold. */
const BLOCK = /^[\t\n\x20-\x7e\u00a1-\ud7ff]*\n[\t\n\x20-\x7e\u00a1-\ud7ff]*$/;

export interface YamlTextOptions {
  /** Stands above the document, a `#` before each line. */
  readonly comment?: string;
}

/**
 * Data as a YAML document that readers of YAML 1.1 (kubectl) and 1.2 agree on: strings are quoted unless they are plain words,
 * so that `on`, `1e3`, `0x10` and `12:30` stay strings. Keys keep their order, those without a value are left out, and the
 * same data gives the same bytes.
 */
export function yamlText(value: YamlValue, { comment }: YamlTextOptions = {}): string {
  const document = new Document(value, { aliasDuplicateObjects: false, keepUndefined: false });
  if (comment !== undefined) document.commentBefore = comment.replace(/^/gm, ' ');
  quoteStrings(document);
  return document.toString({ lineWidth: 0, indentSeq: false });
}

function quoteStrings(document: Document): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'string') return;
      if (PLAIN.test(node.value) && !RESERVED.test(node.value)) node.type = 'PLAIN';
      else node.type = BLOCK.test(node.value) && !/(^|\n)[ \t]/.test(node.value) ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE';
    },
  });
}

/** Why a text is not one YAML document, in one line; undefined for one that is. */
export function whyNotYaml(text: string): string | undefined {
  const [error] = parseDocument(text, { prettyErrors: true }).errors;
  return error?.message.split('\n')[0];
}

/**
 * A YAML text with entries of its top-level mapping set, all else kept: comments, order, entries of others.
 * @param text one document that `whyNotYaml` takes, and a mapping; anything else becomes a new document
 */
export function withYamlEntries(text: string, entries: Readonly<Record<string, YamlValue>>): string {
  const document = parseDocument(text);
  for (const [key, value] of Object.entries(entries)) {
    const node = document.createNode(value);
    document.set(key, node);
  }
  quoteOwn(document, new Set(Object.keys(entries)));
  return document.toString({ lineWidth: 0, indentSeq: false });
}

/** Quotes the strings of these entries only. */
function quoteOwn(document: ReturnType<typeof parseDocument>, keys: ReadonlySet<string>): void {
  visit(document, {
    Pair(_, pair) {
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      if (typeof key === 'string' && keys.has(key) && pair.value !== null) {
        visit(pair.value as never, {
          Scalar(__, node) {
            if (typeof node.value === 'string' && (!PLAIN.test(node.value) || RESERVED.test(node.value)))
              node.type = 'QUOTE_DOUBLE';
          },
        });
      }
      return visit.SKIP;
    },
  });
}

/** The plain data of a YAML document. */
export function yamlData(text: string): unknown {
  return parseDocument(text).toJS({ maxAliasCount: 100 });
}

/** A place in a text, both numbers from 1. */
export interface YamlPlace {
  readonly line: number;
  readonly column: number;
}

/** What a YAML text is: its faults, and the entries of the mapping at its top. */
export interface YamlMapping {
  readonly problems: readonly (YamlPlace & { readonly message: string })[];
  /** Undefined where the text is no mapping; empty for an empty text. */
  readonly entries: readonly (YamlPlace & { readonly key: string; readonly value: unknown })[] | undefined;
}

/** Reads a YAML 1.1 text, as TorchServe's readers do, with the places of its keys. Keys that are there twice are listed twice. */
export function readYamlMapping(text: string): YamlMapping {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.1', prettyErrors: false, lineCounter: lines, uniqueKeys: false });
  const place = (offset: number): YamlPlace => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problems = document.errors.map(({ message, pos }) => ({ message, ...place(pos[0]) }));
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return { problems, entries: [] };
  if (!isMap(contents)) return { problems, entries: undefined };
  const entries = contents.items.map(({ key, value }) => ({
    key: isScalar(key) ? String(key.value) : String(key),
    value: isNode(value) ? value.toJS(document, { maxAliasCount: 100 }) : value,
    ...place(isNode(key) ? (key.range?.[0] ?? 0) : 0),
  }));
  return { problems, entries };
}
