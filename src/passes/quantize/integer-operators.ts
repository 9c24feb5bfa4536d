/**
 * The operator form (QOperator) of a graph of pairs: dequantize → operator → quantize becomes one operator on integers. Numbers are those of the
 * pairs; only where a kernel rounds differs. Sources: ONNX, QLinearConv, QLinearMatMul, MatMulInteger; ONNX Runtime, ContribOperators.md.
 */
import { type Attribute, attribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor, walkGraphs } from '../../ir/walk.js';
import { SAME_RANGE } from '../../quantize/operator-classes.js';
import { transposedLastAxes } from '../../quantize/transposed.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused } from '../constants.js';
import { MICROSOFT, requireOpset } from '../engine/require-opset.js';
import type { AllowedOperators } from '../levels.js';
import { copyMetadata } from '../nodes.js';

/** Integers that a float value stands for. */
interface Integers {
  readonly value: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
  readonly dataType: DataTypeCode;
}

/** Operators that only move 8-bit integers, whichever they are: DepthToSpace takes no signed ones. */
const MOVING: ReadonlySet<string> = new Set([...SAME_RANGE].filter((opType) => opType !== 'DepthToSpace'));

/** Operators of ONNX Runtime's own domain for those of ONNX with one input of data. */
const UNARY: ReadonlyMap<string, string> = new Map([
  ['Sigmoid', 'QLinearSigmoid'],
  ['LeakyRelu', 'QLinearLeakyRelu'],
  ['AveragePool', 'QLinearAveragePool'],
  ['GlobalAveragePool', 'QLinearGlobalAveragePool'],
]);

/** The same with two. */
const BINARY: ReadonlyMap<string, string> = new Map([
  ['Add', 'QLinearAdd'],
  ['Mul', 'QLinearMul'],
]);

/**
 * Takes every node that reads and writes pairs to its operator on integers, where there is one; the others keep their pairs, which mean the
 * same. @returns how many it took
 */
export function useIntegerOperators(model: Model, operators: AllowedOperators): number {
  let count = 0;
  for (const graph of walkGraphs(model.graph))
    for (const node of [...graph.nodes]) if (node.domain === '' && takeNode(node, operators)) count++;
  if (count > 0) dropPairs(model);
  return count;
}

function takeNode(node: Node, operators: AllowedOperators): boolean {
  if (node.is('Conv')) return convolution(node);
  if (node.is('MatMul')) return matMul(node);
  if (node.is('Gemm')) return operators === 'ort' ? contribGemm(node) : gemm(node);
  if (MOVING.has(node.opType)) return moving(node);
  if (operators !== 'ort') return false;
  if (node.is('Concat')) return concat(node);
  const unary = UNARY.get(node.opType);
  if (unary) return contrib(node, unary, 1);
  const binary = BINARY.get(node.opType);
  return binary === undefined ? false : contrib(node, binary, 2);
}

/** Weights are one of these; data too. */
const isByte = (dataType: DataTypeCode): boolean => dataType === DataType.UINT8 || dataType === DataType.INT8;

/** What a value stands for, when it is what a DequantizeLinear of 8 bits gives. */
function integersOf(value: Value | undefined): Integers | undefined {
  const found = dequantized(value);
  return found && isByte(found.dataType) ? found : undefined;
}

function dequantized(value: Value | undefined): Integers | undefined {
  const node = value?.producer;
  if (!node?.is('DequantizeLinear')) return undefined;
  const [integers, scale, zeroPoint] = [node.input(0), node.input(1), node.input(2)];
  const zeros = constantTensor(zeroPoint);
  if (!integers || !scale || !zeroPoint || !zeros) return undefined;
  return { value: integers, scale, zeroPoint, dataType: zeros.dataType };
}

/** The QuantizeLinear that alone reads a value. */
function quantizer(value: Value | undefined): { readonly node: Node; readonly written: Integers } | undefined {
  if (value?.uses.size !== 1 || value.isGraphOutput || value.pinned) return undefined;
  const [use] = value.uses;
  const node = use?.node;
  if (!node?.is('QuantizeLinear') || use?.slot !== 0 || node.graph !== value.graph) return undefined;
  const [scale, zeroPoint] = [node.input(1), node.input(2)];
  const zeros = constantTensor(zeroPoint);
  if (!scale || !zeroPoint || !zeros || !isByte(zeros.dataType)) return undefined;
  return { node, written: { value: node.output(), scale, zeroPoint, dataType: zeros.dataType } };
}

const triple = ({ value, scale, zeroPoint }: Integers): Value[] => [value, scale, zeroPoint];

/** A node in place of another and of the QuantizeLinear behind it. */
function replace(
  node: Node,
  behind: Node,
  { opType, domain = '', inputs, attributes }: Replacement,
  graph: Graph = node.graph,
): void {
  const output = behind.output();
  behind.setOutput(0, undefined);
  graph.remove(behind);
  const made = graph.addNode({ opType, domain, name: node.name, inputs, outputs: [output], attributes }, node);
  if (domain === MICROSOFT) requireOpset(graph, graph);
  copyMetadata(node, made);
  graph.remove(node);
}

interface Replacement {
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: readonly Attribute[];
}

const attributesOf = (node: Node, ...names: readonly string[]): Attribute[] =>
  [...node.attributes.values()].filter(({ name }) => names.length === 0 || names.includes(name));

/** Integers of an INT32 bias; null where there is a bias that is none. */
function biasOf(value: Value | undefined): Value | undefined | null {
  if (!value) return undefined;
  const bias = dequantized(value);
  return bias?.dataType === DataType.INT32 ? bias.value : null;
}

function convolution(node: Node): boolean {
  const [data, weight, bias] = [integersOf(node.input(0)), integersOf(node.input(1)), biasOf(node.input(2))];
  const behind = quantizer(node.outputs[0]);
  if (!data || !weight || bias === null || behind?.written.dataType !== data.dataType) return false;
  const { scale, zeroPoint } = behind.written;
  const inputs = [...triple(data), ...triple(weight), scale, zeroPoint, ...(bias ? [bias] : [])];
  replace(node, behind.node, { opType: 'QLinearConv', inputs, attributes: attributesOf(node) });
  return true;
}

function matMul(node: Node): boolean {
  const [data, weight] = [integersOf(node.input(0)), integersOf(node.input(1))];
  if (!data || !weight) return false;
  const behind = quantizer(node.outputs[0]);
  if (behind?.written.dataType !== data.dataType) return wholeProduct(node, data, weight, undefined);
  const { scale, zeroPoint } = behind.written;
  const inputs = [...triple(data), ...triple(weight), scale, zeroPoint];
  replace(node, behind.node, { opType: 'QLinearMatMul', inputs, attributes: [] });
  return true;
}

/** Gemm without an operator of its own: its product in integers, its bias in FLOAT behind it. */
function gemm(node: Node): boolean {
  const [data, weight] = [integersOf(node.input(0)), integersOf(node.input(1))];
  if (!data || !weight || node.int('transA', 0) !== 0 || node.float('alpha', 1) !== 1) return false;
  if (node.input(2) && node.float('beta', 1) !== 1) return false;
  if (node.int('transB', 0) === 0) return wholeProduct(node, data, weight, node.input(2));
  const tensor = constantTensor(weight.value);
  if (!tensor) return false;
  const value = addConstant(node.graph, `${weight.value.name}_transposed`, transposedLastAxes(tensor), node);
  const before = weight.value;
  const done = wholeProduct(node, data, { ...weight, value }, node.input(2));
  dropIfUnused(done ? before : value);
  return done;
}

/** A product that goes on in FLOAT: MatMulInteger, its scale, and its bias. ONNX Runtime joins the three. */
function wholeProduct(node: Node, data: Integers, weight: Integers, bias: Value | undefined): boolean {
  const [dataScale, weightScales] = [constantTensor(data.scale), constantTensor(weight.scale)];
  if (dataScale?.size !== 1 || !weightScales) return false;
  const { graph, name } = node;
  const factor = dataScale.float32Array()[0] as number;
  const scales = Tensor.float32(
    weightScales.float32Array().map((scale) => Math.fround(factor * scale)),
    weightScales.dims,
  );
  const output = node.output();
  const { type } = output;
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  const product = graph.addNode(
    {
      opType: 'MatMulInteger',
      name,
      inputs: [data.value, weight.value, data.zeroPoint, weight.zeroPoint],
      outputs: [{ name: `${output.name}_integers`, type: tensorType(DataType.INT32, shape) }],
    },
    node,
  );
  copyMetadata(node, product);
  const cast = graph.addNode(
    {
      opType: 'Cast',
      name: `${name}_Cast`,
      inputs: [product.output()],
      outputs: [{ name: `${output.name}_cast`, type }],
      attributes: [attribute('to', DataType.FLOAT)],
    },
    node,
  );
  const scale = addConstant(graph, `${output.name}_product_scale`, scales, node);
  node.setOutput(0, undefined);
  const result = bias === undefined ? output : { name: `${output.name}_scaled`, type };
  const scaled = graph.addNode(
    { opType: 'Mul', name: `${name}_Mul`, inputs: [cast.output(), scale], outputs: [result] },
    node,
  );
  if (bias)
    graph.addNode({ opType: 'Add', name: `${name}_Add`, inputs: [scaled.output(), bias], outputs: [output] }, node);
  graph.remove(node);
  return true;
}

function contribGemm(node: Node): boolean {
  const [data, weight, bias] = [integersOf(node.input(0)), integersOf(node.input(1)), biasOf(node.input(2))];
  if (!data || !weight || bias === null || node.int('transA', 0) !== 0) return gemm(node);
  if (bias && node.float('beta', 1) !== 1) return false;
  const inputs = [...triple(data), ...triple(weight), bias];
  const attributes = attributesOf(node, 'transB', 'transA', 'alpha');
  const behind = quantizer(node.outputs[0]);
  if (behind?.written.dataType === data.dataType) {
    const { scale, zeroPoint } = behind.written;
    const all = [...inputs, scale, zeroPoint];
    replace(node, behind.node, { opType: 'QGemm', domain: MICROSOFT, inputs: all, attributes });
    return true;
  }
  const output = node.output();
  node.setOutput(0, undefined);
  const { graph } = node;
  const made = graph.addNode(
    {
      opType: 'QGemm',
      domain: MICROSOFT,
      name: node.name,
      inputs: bias ? inputs : inputs.slice(0, 6),
      outputs: [output],
      attributes,
    },
    node,
  );
  requireOpset(graph, graph);
  copyMetadata(node, made);
  graph.remove(node);
  return true;
}

function contrib(node: Node, opType: string, slots: number): boolean {
  const data = node.inputs.slice(0, slots).map((value) => integersOf(value));
  const behind = quantizer(node.outputs[0]);
  const known = data.filter((each) => each !== undefined);
  if (known.length < slots || !behind || known.some(({ dataType }) => dataType !== behind.written.dataType))
    return false;
  const { scale, zeroPoint } = behind.written;
  const attributes = [
    ...attributesOf(node),
    ...(opType.endsWith('AveragePool') ? [attribute('channels_last', 0)] : []),
  ];
  replace(node, behind.node, {
    opType,
    domain: MICROSOFT,
    inputs: [...known.flatMap(triple), scale, zeroPoint],
    attributes,
  });
  return true;
}

function concat(node: Node): boolean {
  const data = node.inputs.map((value) => integersOf(value));
  const behind = quantizer(node.outputs[0]);
  const known = data.filter((each) => each !== undefined);
  if (known.length < data.length || !behind || known.some(({ dataType }) => dataType !== behind.written.dataType))
    return false;
  const { scale, zeroPoint } = behind.written;
  const inputs = [scale, zeroPoint, ...known.flatMap(triple)];
  replace(node, behind.node, { opType: 'QLinearConcat', domain: MICROSOFT, inputs, attributes: attributesOf(node) });
  return true;
}

/** Integers go through as they are where input and outputs share scale and zero point. */
function moving(node: Node): boolean {
  const data = integersOf(node.input(0));
  if (!data) return false;
  const behind = node.outputs.map((output) => quantizer(output));
  const known = behind.filter((each) => each !== undefined);
  if (known.length < behind.length) return false;
  if (known.some(({ written }) => written.scale !== data.scale || written.zeroPoint !== data.zeroPoint)) return false;
  node.setInput(0, data.value);
  for (const [index, each] of known.entries()) {
    const output = each.written.value;
    const inner = node.outputs[index] as Value;
    each.node.setOutput(0, undefined);
    node.graph.remove(each.node);
    node.setOutput(index, output);
    node.graph.forget(inner);
  }
  return true;
}

/** Takes out the pairs that nothing reads any more, and constants of theirs. */
function dropPairs(model: Model): void {
  for (const graph of walkGraphs(model.graph))
    for (const node of [...graph.nodes].reverse()) {
      if (!node.is('DequantizeLinear') || node.output().uses.size > 0 || node.output().isGraphOutput) continue;
      const inputs = [...node.inputs];
      graph.remove(node);
      for (const input of inputs) if (input && (!input.producer || input.producer.is('Constant'))) dropIfUnused(input);
    }
}
