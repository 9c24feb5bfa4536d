/**
 * ONNX's own node cases as constant folding: inputs become constants, the graph is evaluated node by node with our kernels, and
 * outputs are compared with those of the case: bits for integers, bools and strings, rtol 1e-3 and atol 1e-7 for floats
 * (what onnx.backend.test itself demands).
 *
 *     node folding.js DATA [--refused] [--only NAME]
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from '../../src/ir/node.js';
import { readModel } from '../../src/ir/read-model.js';
import { readTensorFile } from '../../src/ir/read-tensor-file.js';
import type { Value } from '../../src/ir/value.js';
import { evaluateNode } from '../../src/ops/eval/evaluate-node.js';
import { decodeNumbers, laneKind } from '../../src/ops/eval/lane.js';
import { cellsFor } from '../../src/ops/eval/moved-tensor.js';
import { DataType, dataTypeName, dataTypeRow } from '../../src/tensor/dtype.js';
import { smallFloatValues } from '../../src/tensor/small-float.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { messageOf, print, Suite } from './suite.js';

interface Verdict {
  readonly kind: 'matched' | 'refused' | 'wrong';
  readonly reason: string;
}

/** One case folder: model.onnx and test_data_set_0. */
export async function foldCase(folder: string): Promise<Verdict> {
  const model = await readModel(join(folder, 'model.onnx'));
  try {
    const data = join(folder, 'test_data_set_0');
    const constants = new Map<Value, Tensor>();
    const { graph } = model;
    for (const value of graph.initializers) if (value.tensor) constants.set(value, value.tensor);
    for (const [index, value] of graph.inputs.entries()) {
      if (value.type?.kind !== 'tensor') return { kind: 'refused', reason: `input of type ${value.type?.kind}` };
      const path = join(data, `input_${index}.pb`);
      if (existsSync(path)) constants.set(value, readTensorFile(path));
    }
    for (const node of graph.nodes) {
      const reason = evaluateInto(node, constants, model.opset(node.domain));
      if (reason !== undefined) return { kind: 'refused', reason };
    }
    for (const [index, value] of graph.outputs.entries()) {
      const ours = constants.get(value);
      if (!ours) return { kind: 'refused', reason: 'an output is not computed' };
      const difference = tensorDifference(ours, readTensorFile(join(data, `output_${index}.pb`)));
      if (difference !== undefined) return { kind: 'wrong', reason: `output ${index}: ${difference}` };
    }
    return { kind: 'matched', reason: '' };
  } finally {
    model.source?.close();
  }
}

function evaluateInto(node: Node, constants: Map<Value, Tensor>, opset: number): string | undefined {
  const inputs = node.inputs.map((value) => value && constants.get(value));
  const result = evaluateNode(node, inputs, opset);
  if (typeof result === 'string') return `${node.opType}: ${result}`;
  for (const [index, value] of node.outputs.entries()) {
    const tensor = result[index];
    if (value && tensor) constants.set(value, tensor);
  }
  return undefined;
}

/** Undefined when the tensors agree. @param ofLargest what floats may differ by besides, as a share of the largest */
export function tensorDifference(ours: Tensor, theirs: Tensor, ofLargest = 0): string | undefined {
  const describe = (tensor: Tensor) => `${dataTypeName(tensor.dataType)}[${tensor.dims.join(',')}]`;
  if (describe(ours) !== describe(theirs)) return `${describe(ours)} instead of ${describe(theirs)}`;
  if (ours.dataType === DataType.STRING) {
    const texts = [ours, theirs].map((tensor) => tensor.stringElements().map((text) => Buffer.from(text).toString()));
    const at = texts[0]?.findIndex((text, index) => text !== texts[1]?.[index]) ?? -1;
    return at < 0 ? undefined : `element ${at} is "${texts[0]?.[at]}" instead of "${texts[1]?.[at]}"`;
  }
  if (dataTypeRow(ours.dataType)?.kind !== 'float') {
    const same = Buffer.compare(ours.bytes(), theirs.bytes()) === 0;
    return same ? undefined : `bytes ${shown(ours.bytes())} instead of ${shown(theirs.bytes())}`;
  }
  const [a, b] = [floats(ours), floats(theirs)];
  const largest = b.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const least = 1e-7 + ofLargest * largest;
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] as number, b[at] as number];
    const agrees = Object.is(x, y) || x === y || Math.abs(x - y) <= least + 1e-3 * Math.abs(y);
    if (!agrees) return `element ${at} is ${x} instead of ${y}`;
  }
  return undefined;
}

function shown(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 64)).toString('hex');
}

function floats(tensor: Tensor): Float64Array {
  const lane = new Float64Array(tensor.size);
  if (laneKind(tensor.dataType) === 'number') decodeNumbers(tensor.dataType, tensor.bytes(), lane);
  else {
    const values = smallFloatValues(tensor.dataType);
    cellsFor(tensor)
      .load(tensor)
      .forEach((code, at) => {
        lane[at] = values?.[code] ?? Number.NaN;
      });
  }
  return lane;
}

/** Every node case of onnx's test data. A case that is refused counts neither as passed nor as failed. */
export async function foldingSuite(testData: string, showRefused = false, only = ''): Promise<Suite> {
  const suite = new Suite('constant folding of node cases');
  const nodes = join(testData, 'node');
  const reasons = new Map<string, number>();
  for (const name of readdirSync(nodes).sort()) {
    if (!name.includes(only)) continue;
    try {
      const { kind, reason } = await foldCase(join(nodes, name));
      if (kind === 'matched') suite.pass();
      else if (kind === 'wrong') suite.fail(name, reason);
      else {
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (showRefused) print(`refused ${name}: ${reason}`);
      }
    } catch (error) {
      suite.fail(name, messageOf(error));
    }
  }
  const refused = [...reasons].sort((a, b) => b[1] - a[1]);
  if (showRefused) for (const [reason, count] of refused) print(`${count} × ${reason}`);
  suite.close(`, ${refused.reduce((sum, [, count]) => sum + count, 0)} refused`);
  return suite;
}

if (process.argv[1]?.endsWith('folding.js')) {
  const [testData = '', ...words] = process.argv.slice(2);
  const only = words.indexOf('--only');
  const suite = await foldingSuite(testData, words.includes('--refused'), only < 0 ? '' : words[only + 1]);
  process.exitCode = suite.failed === 0 ? 0 : 1;
}
