import { floatAttribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { allGraphs, constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { dropIfUnused } from '../constants.js';
import { copyMetadata, onlyConsumer, releaseOutput } from '../nodes.js';
import { definePass } from '../pass.js';

/**
 * Clip(x + 3, 0, 6) / 6 = HardSigmoid(x; 1/6, 1/2), and x · Clip(x + 3, 0, 6) / 6 = x · HardSigmoid(x; 1/6, 1/2): two passes over the
 * data instead of four. Exporters of MobileNetV3 and PP-OCR write the long form.
 *
 * Fires for scalar FLOAT constants 3, 0, 6 and a division by 6 (or a multiplication with 1/6), when nothing else reads the values
 * in between. Leaves everything else alone without a word. Numerics: reassociates. Reference: Howard et al. 2019
 * (arXiv 1905.02244), section 5.2; ONNX operator HardSwish-14.
 */
export const fuseHardSwish = definePass<object>({
  name: 'fuse-hard-swish',
  summary: 'Writes Add, Clip, Mul and Div of a hard swish as HardSigmoid and Mul.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  run(model) {
    let changed = 0;
    for (const graph of allGraphs(model)) for (const node of graph.nodes) if (node.is('Clip') && fuse(node)) changed++;
    return { changed };
  },
});

function fuse(clip: Node): boolean {
  const sum = clip.input(0);
  const add = sum?.producer;
  if (!sum || !add?.is('Add') || onlyConsumer(sum) !== clip || !clipsToSix(clip)) return false;
  const slot = isScalar(add.input(1), 3) ? 0 : isScalar(add.input(0), 3) ? 1 : undefined;
  const x = slot === undefined ? undefined : add.input(slot);
  const next = onlyConsumer(clip.output());
  if (!x || !next) return false;
  if (isSixth(next, clip.output())) {
    replace([add, clip, next], next, x);
    return true;
  }
  const other = next.is('Mul') ? next.inputs.find((value) => value !== clip.output()) : undefined;
  const last = other === x ? onlyConsumer(next.output()) : undefined;
  if (!last || !isSixth(last, next.output())) return false;
  const { graph } = last;
  const before = last.next;
  const hardSigmoid = addHardSigmoid(last, x, clip);
  const constants = [add, clip, last].flatMap((node) => [...node.inputs]);
  const output = releaseOutput(last);
  for (const node of [next, clip, add]) node.graph.remove(node);
  copyMetadata(
    next,
    graph.addNode({ opType: 'Mul', name: next.name, inputs: [x, hardSigmoid], outputs: [output] }, before),
  );
  for (const value of constants) if (value) dropIfUnused(value);
  return true;
}

/** Removes `nodes` (first to last) and lets a HardSigmoid of `x` compute what `last` did. */
function replace(nodes: readonly Node[], last: Node, x: Value): void {
  const { graph } = last;
  const before = last.next;
  const constants = nodes.flatMap((node) => [...node.inputs]);
  const output = releaseOutput(last);
  for (const node of [...nodes].reverse()) if (node !== last) node.graph.remove(node);
  graph.addNode(
    { opType: 'HardSigmoid', name: last.name, inputs: [x], outputs: [output], attributes: coefficients() },
    before,
  );
  for (const value of constants) if (value) dropIfUnused(value);
}

function addHardSigmoid(before: Node, x: Value, clip: Node): Value {
  const node = before.graph.addNode(
    {
      opType: 'HardSigmoid',
      name: `${nodeLabel(clip)}_HardSigmoid`,
      inputs: [x],
      outputs: [{ name: `${nodeLabel(clip)}_HardSigmoid_output`, type: x.type }],
      attributes: coefficients(),
    },
    before,
  );
  return node.output();
}

const coefficients = () => [floatAttribute('alpha', 1 / 6), floatAttribute('beta', 0.5)];

function clipsToSix(clip: Node): boolean {
  if (clip.graph.model.opset() < 11) return clip.float('min', Number.NaN) === 0 && clip.float('max', Number.NaN) === 6;
  return isScalar(clip.input(1), 0) && isScalar(clip.input(2), 6);
}

function isSixth(node: Node, value: Value): boolean {
  if (node.is('Div')) return node.input(0) === value && isScalar(node.input(1), 6);
  return node.is('Mul') && node.inputs.some((input) => input !== value && isScalar(input, Math.fround(1 / 6)));
}

/** A constant with one element of this value, whose shape cannot add axes to the other operand. */
function isScalar(value: Value | undefined, expected: number): boolean {
  const tensor = constantTensor(value);
  if (tensor?.dataType !== DataType.FLOAT || tensor.size !== 1 || tensor.rank > 1) return false;
  return tensor.float32Array()[0] === expected;
}
