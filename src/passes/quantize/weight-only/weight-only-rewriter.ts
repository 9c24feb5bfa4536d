/** Puts quantized weights in the place of those that nodes read. */
import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { blobBytes, blocksOf } from '../../../quantize/nbits/nbits-format.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import { floatTensor } from '../../../tensor/float-values.js';
import { scaledTensor } from '../../../tensor/scaled-tensor.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant, dropIfUnused } from '../../constants.js';
import { MICROSOFT, requireOpset } from '../../engine/require-opset.js';
import { copyMetadata, isUnused, releaseOutput } from '../../nodes.js';
import type { WeightUnit, WeightUse } from './weight-plan.js';
import type { WeightForm } from './weight-tensors.js';

/** The constants of a unit. */
interface Written {
  readonly codes: Value;
  readonly scales: Value;
  readonly zeroPoints: Value | undefined;
}

export class WeightOnlyRewriter {
  readonly #accuracyLevel: number;

  /** @param accuracyLevel of MatMulNBits; 0 writes none */
  constructor(accuracyLevel: number) {
    this.#accuracyLevel = accuracyLevel;
  }

  /** Rewrites all uses of a unit, and drops the weight that nothing reads any more. */
  rewrite(unit: WeightUnit, form: WeightForm): void {
    const { value, layout, format } = unit;
    const { graph } = value;
    const constant = (role: string, tensor: Tensor): Value =>
      addConstant(graph, `${value.name}_${role}`, tensor, graph.nodes.first);
    const written: Written = {
      codes: constant(`q${format.bits}`, form.codes),
      scales: constant('scales', form.scales),
      zeroPoints: form.zeroPoints && constant('zero_points', form.zeroPoints),
    };
    const isOperator = layout === 'operator' || layout === 'tied' || layout === 'table';
    if (isOperator) requireOpset(graph, graph);
    const table = layout === 'tied' ? this.#rowsOf(unit, written.codes) : written.codes;
    const dequantized = layout === 'pairs' || layout === 'pairs-table' ? this.#dequantized(unit, written) : undefined;
    for (const use of unit.uses) {
      if (use.kind === 'lookup') this.#lookup(unit, use, { ...written, codes: table }, isOperator);
      else this.#product(unit, use, written, dequantized?.(use.node));
      dropChain(use.operand.chain);
    }
    dropIfUnused(value);
  }

  /** The codes of a table as rows of bytes, for lookups beside products: runtimes compute it once, when they load it. */
  #rowsOf({ value, sources: [source], format }: WeightUnit, codes: Value): Value {
    const { outputs = 0, inputs = 0 } = source ?? {};
    const rowBytes = blocksOf(inputs, format) * blobBytes(format);
    const { graph } = value;
    const shape = addConstant(graph, `${value.name}_rows_shape`, Tensor.int64([outputs, rowBytes], [2]));
    const node = graph.addNode(
      {
        opType: 'Reshape',
        name: `${value.name}_rows`,
        inputs: [codes, shape],
        outputs: [{ name: `${value.name}_rows_output`, type: tensorType(DataType.UINT8, [outputs, rowBytes]) }],
      },
      graph.nodes.first,
    );
    return node.output();
  }

  /** A DequantizeLinear for each product: a runtime fuses the two only where nothing else reads it. */
  #dequantized(unit: WeightUnit, { codes, scales, zeroPoints }: Written): (node: Node) => Value {
    const { value, format, batch, dataType, layout } = unit;
    const axis = batch.length + (layout === 'pairs' ? 0 : 1);
    const dims = codes.tensor?.dims ?? [];
    return (node) => {
      const name = `${nodeLabel(node)}_${value.name}`;
      const pair = node.graph.addNode(
        {
          opType: 'DequantizeLinear',
          name: `${name}_DequantizeLinear`,
          inputs: zeroPoints ? [codes, scales, zeroPoints] : [codes, scales],
          outputs: [{ name: `${name}_dequantized`, type: tensorType(dataType, dims) }],
          attributes: [attribute('axis', axis), attribute('block_size', format.block)],
        },
        node,
      );
      if (layout === 'pairs') return pair.output();
      const turned = node.graph.addNode(
        {
          opType: 'Transpose',
          name: `${name}_Transpose`,
          inputs: [pair.output()],
          outputs: [{ name: `${name}_turned`, type: tensorType(dataType, [...dims].reverse()) }],
          attributes: [attribute('perm', [1, 0])],
        },
        node,
      );
      return turned.output();
    };
  }

  /** MatMulNBits, or MatMul of the dequantized weight; what a Gemm does besides comes after it. */
  #product(unit: WeightUnit, { node }: WeightUse, { codes, scales, zeroPoints }: Written, weight: Value | undefined) {
    const { sources, dataType } = unit;
    const { outputs = 0, inputs = 0 } = sources[0] ?? {};
    const data = node.input(0) as Value;
    if (weight && node.is('MatMul')) {
      node.setInput(1, weight);
      return;
    }
    const tail = gemmTail(node, dataType);
    const label = nodeLabel(node);
    const spec = weight
      ? { opType: 'MatMul', inputs: [data, weight], attributes: [] }
      : {
          opType: 'MatMulNBits',
          domain: MICROSOFT,
          inputs: zeroPoints ? [data, codes, scales, zeroPoints] : [data, codes, scales],
          attributes: this.#attributes(inputs, outputs, unit),
        };
    const before = node.next;
    const { graph } = node;
    const output = releaseOutput(node);
    const steps = [spec, ...tail];
    let last: Value | undefined;
    for (const [at, step] of steps.entries()) {
      const isLast = at === steps.length - 1;
      const added = graph.addNode(
        {
          ...step,
          name: isLast ? node.name : `${label}_${step.opType}`,
          inputs: last ? [last, ...step.inputs] : step.inputs,
          outputs: [isLast ? output : { name: `${label}_${step.opType}_output`, type: tensorType(dataType) }],
        },
        before,
      );
      if (at === 0) copyMetadata(node, added);
      last = added.output();
    }
  }

  #attributes(inputs: number, outputs: number, { format }: WeightUnit): Attribute[] {
    return [
      attribute('K', inputs),
      attribute('N', outputs),
      attribute('bits', format.bits),
      attribute('block_size', format.block),
      ...(this.#accuracyLevel === 0 ? [] : [attribute('accuracy_level', this.#accuracyLevel)]),
    ];
  }

  #lookup(unit: WeightUnit, { node }: WeightUse, written: Written, isOperator: boolean): void {
    const { format, dataType } = unit;
    const { codes, scales, zeroPoints } = written;
    const indices = node.input(1) as Value;
    const label = nodeLabel(node);
    const before = node.next;
    const { graph } = node;
    const output = releaseOutput(node);
    if (isOperator) {
      const added = graph.addNode(
        {
          opType: 'GatherBlockQuantized',
          domain: MICROSOFT,
          name: node.name,
          inputs: zeroPoints ? [codes, indices, scales, zeroPoints] : [codes, indices, scales],
          outputs: [output],
          attributes: [
            attribute('gather_axis', 0),
            attribute('quantize_axis', 1),
            attribute('block_size', format.block),
            ...(codes.type?.kind === 'tensor' && codes.type.dataType === DataType.UINT8
              ? [attribute('bits', format.bits)]
              : []),
          ],
        },
        before,
      );
      copyMetadata(node, added);
      return;
    }
    const rows = (from: Value, role: string): Value =>
      graph
        .addNode(
          {
            opType: 'Gather',
            name: `${label}_${role}`,
            inputs: [from, indices],
            outputs: [{ name: `${label}_${role}_output`, type: tensorType(from.tensor?.dataType ?? dataType) }],
          },
          before,
        )
        .output();
    const inputs = [rows(codes, 'codes'), rows(scales, 'scales')];
    if (zeroPoints) inputs.push(rows(zeroPoints, 'zero_points'));
    const added = graph.addNode(
      {
        opType: 'DequantizeLinear',
        name: node.name,
        inputs,
        outputs: [output],
        attributes: [attribute('axis', -1), attribute('block_size', format.block)],
      },
      before,
    );
    copyMetadata(node, added);
  }
}

/** What a Gemm does after its product: a factor, and a bias with its own. */
function gemmTail(
  node: Node,
  dataType: DataTypeCode,
): { readonly opType: string; readonly inputs: Value[]; readonly attributes: [] }[] {
  if (!node.is('Gemm')) return [];
  const steps: { readonly opType: string; readonly inputs: Value[]; readonly attributes: [] }[] = [];
  const alpha = node.float('alpha', 1);
  const label = nodeLabel(node);
  const bias = node.input(2);
  if (alpha !== 1) {
    const factor = addConstant(node.graph, `${label}_alpha`, floatTensor(dataType, Float64Array.of(alpha), []), node);
    steps.push({ opType: 'Mul', inputs: [factor], attributes: [] });
  }
  if (bias) steps.push({ opType: 'Add', inputs: [scaledBias(node, bias)], attributes: [] });
  return steps;
}

/** The bias of a Gemm with its `beta` in it; one that is not 1 stands before a constant alone. */
function scaledBias(node: Node, bias: Value): Value {
  const beta = node.float('beta', 1);
  const tensor = constantTensor(bias);
  if (beta === 1 || !tensor) return bias;
  const scaled = scaledTensor(tensor, { factors: Float64Array.of(beta), inner: 1 });
  return addConstant(node.graph, `${bias.name}_scaled`, scaled, node);
}

/** Removes what stood between a weight and a node, from the node on, as far as nothing else reads it. */
function dropChain(chain: readonly Node[]): void {
  for (const step of chain) {
    if (step.removed || !isUnused(step.output())) return;
    step.graph.remove(step);
  }
}
