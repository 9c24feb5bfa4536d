import type { Node } from '../../ir/node.js';

/**
 * The metadata entry in which a merged node keeps the names of the nodes it stands for, one a line: the first of them, and
 * in a last line how many there are besides.
 */
export const SOURCES_KEY = 'serve_opt.sources';

/** So many names are kept, ... */
const MOST_NAMES = 100;
/** ... of so many characters together: what a chain of a hundred thousand nodes is merged into must not hold all their names. */
const MOST_CHARACTERS = 8192;
/** So many entries of metadata go over from the nodes that are gone to the one that stands for them. */
const MOST_INHERITED = 256;

/** What a node was called and what people attached to it, taken before it goes. */
export interface NodeRecord {
  readonly node: Node;
  readonly name: string;
  readonly docString: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

export function recordNode(node: Node): NodeRecord {
  return {
    node,
    name: node.name,
    docString: node.docString,
    metadata: node.hasMetadataProps ? new Map(node.metadataProps) : new Map(),
  };
}

/**
 * Gives the node that stands for others their names, metadata and doc strings; what it has of its own wins, and so do
 * earlier ones. An unnamed node takes the name of the last.
 */
export function keepProvenance(records: readonly NodeRecord[], into: Node): void {
  const gone = records.filter(({ node }) => node.removed && node !== into);
  if (gone.length === 0) return;
  if (into.name === '') into.name = gone.findLast(({ name }) => name !== '')?.name ?? '';
  const sources = new Sources(into.name);
  sources.addAll(into.metadataProps.get(SOURCES_KEY));
  const inherit = inheritor(into);
  for (const { name, metadata, docString } of gone) {
    sources.addAll(metadata.get(SOURCES_KEY));
    sources.add(name);
    for (const [key, text] of metadata) if (!inherit(key, text)) break;
    if (docString !== undefined && into.docString === undefined) into.docString = docString;
  }
  const text = sources.text();
  if (text !== '') into.metadataProps.set(SOURCES_KEY, text);
}

/** Gives a node entries of metadata that it does not have; false once it has got as many as it may. */
function inheritor(into: Node): (key: string, text: string) => boolean {
  const limit = Math.max(MOST_INHERITED, into.hasMetadataProps ? into.metadataProps.size : 0);
  return (key, text) => {
    if (key === SOURCES_KEY || into.metadataProps.has(key)) return true;
    if (into.metadataProps.size >= limit) return false;
    into.metadataProps.set(key, text);
    return true;
  };
}

const MORE = /^… and (\d{1,9}) more$/;

/** Names in the order in which they came, each once and without that of the node itself: the first ones, and the number of the others. */
class Sources {
  readonly #own: string;
  readonly #names: Set<string> = new Set();
  #characters = 0;
  #more = 0;

  constructor(own: string) {
    this.#own = own;
  }

  add(name: string): void {
    if (name === '' || name === this.#own || this.#names.has(name)) return;
    // Once a name was left out all are, so that those kept are the first.
    if (this.#more > 0 || this.#names.size >= MOST_NAMES || this.#characters + name.length > MOST_CHARACTERS) {
      this.#more++;
      return;
    }
    this.#names.add(name);
    this.#characters += name.length;
  }

  /** Adds what an entry of metadata lists. */
  addAll(text: string | undefined): void {
    if (text === undefined || text === '') return;
    let more = 0;
    for (const line of text.split('\n')) {
      const match = MORE.exec(line);
      if (match) more += Number(match[1]);
      else this.add(line);
    }
    this.#more += more;
  }

  /** What stands in the entry; empty for none. */
  text(): string {
    return this.#more === 0 ? [...this.#names].join('\n') : [...this.#names, `… and ${this.#more} more`].join('\n');
  }
}
