import { describe, expect, it } from 'vitest';
import { Model } from '../../../src/ir/model.js';
import type { Node } from '../../../src/ir/node.js';
import { keepProvenance, recordNode, SOURCES_KEY } from '../../../src/passes/engine/provenance.js';

/** Merges a row of named nodes into the last, one after the other, as a pass does that works from the front. */
function merged(names: readonly string[], attach: (node: Node, index: number) => void = () => {}): Node {
  const model = new Model();
  const add = (name: string): Node => model.graph.addNode({ opType: 'Relu', name, inputs: [], outputs: [{}] });
  const nodes = names.map((name, index) => {
    const node = add(name);
    attach(node, index);
    return node;
  });
  let before = nodes[0] as Node;
  for (const node of nodes.slice(1)) {
    const records = [node, before].map(recordNode);
    model.graph.remove(node);
    model.graph.remove(before);
    const into = add(node.name);
    keepProvenance(records, into);
    before = into;
  }
  return before;
}

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `layer_${index}`);
const sourcesOf = (node: Node): string[] => node.metadataProps.get(SOURCES_KEY)?.split('\n') ?? [];

describe('provenance', () => {
  it('lists the names of merged nodes in order, without that of the node itself', () => {
    expect(sourcesOf(merged(named(4)))).toEqual(['layer_0', 'layer_1', 'layer_2']);
  });

  it('keeps the first names and the number of the others', () => {
    const sources = sourcesOf(merged(named(5000)));
    expect(sources).toHaveLength(101);
    expect(sources[0]).toBe('layer_0');
    expect(sources.at(-1)).toBe('… and 4899 more');
  });

  it('keeps no more characters than a few thousand', () => {
    const text = merged(Array.from({ length: 9 }, (_, index) => `${'n'.repeat(5000)}${index}`)).metadataProps;
    expect(text.get(SOURCES_KEY)).toHaveLength(5001 + '\n… and 7 more'.length);
  });

  it('hands over a bounded number of other entries', () => {
    const node = merged(named(1000), (each, index) => each.metadataProps.set(`key_${index}`, 'value'));
    expect(node.metadataProps.size).toBeLessThan(300);
    expect(node.metadataProps.get('key_999')).toBe('value');
  });
});
