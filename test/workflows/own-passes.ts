/** Passes that no registry has: wrong ones, slow ones, ones that grow. For proving that `optimizeModel` notices. */
import type { Node } from '../../src/ir/node.js';
import type { Value } from '../../src/ir/value.js';
import { addConstant } from '../../src/passes/constants.js';
import { defineRewrite } from '../../src/passes/engine/define-rewrite.js';
import type { Match } from '../../src/passes/engine/rewrite.js';
import { takeOver } from '../../src/passes/nodes.js';
import type { Numerics, PassGroup } from '../../src/passes/pass.js';
import type { PresetRow } from '../../src/passes/presets.js';
import { Tensor } from '../../src/tensor/tensor.js';

export interface OwnPassOptions {
  readonly roots?: readonly string[];
  readonly group?: PassGroup;
  readonly numerics?: Numerics;
  readonly when?: (node: Node) => boolean;
}

/** A pass that gives each root node to `change`; the change must not leave a root behind. */
export function ownPass(
  name: string,
  change: (node: Node) => Node | undefined,
  options: OwnPassOptions = {},
): PresetRow {
  const pass = defineRewrite<object>({
    name,
    summary: 'For tests.',
    group: options.group ?? 'rewrite',
    numerics: options.numerics ?? 'exact',
    scope: 'all-graphs',
    opset: [1, null],
    options: {},
    roots: options.roots ?? ['Relu'],
    rules: () => ({
      match: (node): Match =>
        options.when && !options.when(node) ? undefined : { nodes: [node], apply: () => change(node) },
    }),
  });
  return { pass, stage: 'clean', level: 'basic' };
}

/** Relu becomes another operator of one input. */
export function reluBecomes(name: string, opType: string, options: OwnPassOptions = {}): PresetRow {
  return ownPass(name, (node) => takeOver(node, { opType, inputs: [node.input(0)] }), options);
}

/** x + c becomes x, which is right for a c of zeros, but for the sign of zero. */
export const dropAddition: PresetRow = ownPass(
  'drop-addition',
  (node) => takeOver(node, { opType: 'Identity', inputs: [node.input(0)] }),
  { roots: ['Add'] },
);

/** The Relu named `r` gets the error functions of the error functions of its input added, times zero: a fusion that costs. */
export function slowRelu(steps: number, group: PassGroup = 'fuse'): PresetRow {
  return ownPass(
    'slow-relu',
    (node) => {
      const zero = addConstant(node.graph, 'zero', Tensor.float32([0], []), node);
      const input = node.input(0) as Value;
      const add = (opType: string, ...inputs: Value[]): Value =>
        node.graph.addNode({ opType, inputs, outputs: [{}] }, node).outputs[0] as Value;
      let value = input;
      for (let i = 0; i < steps; i++) value = add('Erf', value);
      return takeOver(node, { opType: 'Add', inputs: [add('Relu', input), add('Mul', value, zero)] });
    },
    { group, numerics: 'reassociates', when: (node) => node.name === 'r' },
  );
}
