import type { Node } from '../../ir/node.js';

/** The metadata entry in which a merged node keeps the names of the nodes it stands for, one a line. */
export const SOURCES_KEY = 'serve_opt.sources';

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
  const sources = new Set<string>(sourceNames(into.metadataProps.get(SOURCES_KEY)));
  for (const { name, metadata, docString } of gone) {
    for (const source of sourceNames(metadata.get(SOURCES_KEY))) sources.add(source);
    if (name !== '') sources.add(name);
    for (const [key, text] of metadata)
      if (key !== SOURCES_KEY && !into.metadataProps.has(key)) into.metadataProps.set(key, text);
    if (docString !== undefined && into.docString === undefined) into.docString = docString;
  }
  sources.delete(into.name);
  if (sources.size > 0) into.metadataProps.set(SOURCES_KEY, [...sources].join('\n'));
}

function sourceNames(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split('\n');
}
