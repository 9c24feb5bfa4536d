import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes, readModel } from '../../src/ir/read-model.js';
import { modelBytes } from '../../src/ir/write-model.js';

const MODEL = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp', 'model.onnx');

/** The model after it was changed, written and read again. */
async function after(change: (model: Model) => void): Promise<Model> {
  const model = await readModel(MODEL);
  change(model);
  const written = parseModelBytes(await modelBytes(model));
  model.source?.close();
  return written;
}

describe('what is changed on a model that was read', () => {
  const node = (model: Model) => [...model.graph.nodes][0];
  const input = (model: Model) => model.graph.inputs[0];

  it.each<[string, (model: Model) => void, (model: Model) => unknown, unknown]>([
    ['metadata', (m) => m.metadata.set('owner', 'us'), (m) => m.metadata.get('owner'), 'us'],
    ['the name of the producer', (m) => Object.assign(m, { producerName: 'us' }), (m) => m.producerName, 'us'],
    ['the version', (m) => Object.assign(m, { modelVersion: 7 }), (m) => Number(m.modelVersion), 7],
    ['the description', (m) => Object.assign(m, { docString: 'good' }), (m) => m.docString, 'good'],
    [
      'the description of the graph',
      (m) => Object.assign(m.graph, { docString: 'good' }),
      (m) => m.graph.docString,
      'good',
    ],
    ['metadata of the graph', (m) => m.graph.metadataProps.set('k', 'v'), (m) => m.graph.metadataProps.get('k'), 'v'],
    ['metadata of a node', (m) => node(m)?.metadataProps.set('k', 'v'), (m) => node(m)?.metadataProps.get('k'), 'v'],
    [
      'metadata of an input',
      (m) => input(m)?.metadataProps.set('k', 'v'),
      (m) => input(m)?.metadataProps.get('k'),
      'v',
    ],
  ])('keeps %s', async (_, change, look, expected) => {
    expect(look(await after(change))).toBe(expected);
  });

  it('keeps what a copy changed, and leaves the original as it was', async () => {
    const model = await readModel(MODEL);
    const copy = model.clone();
    copy.metadata.set('owner', 'us');
    expect(parseModelBytes(await modelBytes(copy)).metadata.get('owner')).toBe('us');
    expect(parseModelBytes(await modelBytes(model)).metadata.get('owner')).toBeUndefined();
    expect(model.changed).toBe(false);
    model.source?.close();
  });

  it('finds nothing changed in a model that was only read, copied and looked at', async () => {
    const model = await readModel(MODEL);
    const copy = model.clone();
    for (const each of [model, copy]) {
      expect(each.changed || each.graph.changed).toBe(false);
      expect([...each.graph.nodes].some((n) => n.changed)).toBe(false);
      expect([...each.graph.values.values()].some((value) => value.changed)).toBe(false);
    }
    model.source?.close();
  });
});
