import { describe, expect, it } from 'vitest';
import { uniquifyNodeNames } from '../../src/ir/node-names.js';
import { parseModelBytes } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { modelBytes } from '../../src/ir/write-model.js';

const TEXT = `<ir_version: 8, opset_import: ["" : 17]>
  g (float[N] x) => (float[N] y) { [same] a = Relu (x) [other] y = Neg (a) }`;

describe('uniquifyNodeNames', () => {
  it('renames what was added and leaves the names of the file', async () => {
    const model = parseModelBytes(await modelBytes(parseModel(TEXT)));
    const [x] = model.graph.inputs;
    for (let i = 0; i < 2; i++) {
      const node = model.graph.addNode(
        { opType: 'Relu', name: 'same', inputs: [x], outputs: [{}] },
        model.graph.nodes.first,
      );
      model.graph.addOutput(node.output());
    }
    model.graph.addNode({ opType: 'Relu', inputs: [x], outputs: [{}] });
    uniquifyNodeNames(model);
    expect([...model.graph.nodes].map(({ name }) => name)).toEqual(['same_1', 'same_2', 'same', 'other', '']);
  });

  it('changes nothing where names are different', async () => {
    const bytes = await modelBytes(parseModel(TEXT));
    const model = parseModelBytes(bytes);
    uniquifyNodeNames(model);
    expect(await modelBytes(model)).toEqual(bytes);
  });
});
