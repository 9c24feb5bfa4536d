/** Turns single nodes to dynamic INT8. */
import { attribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { ConstantOperand } from '../../quantize/constant-operand.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused } from '../constants.js';
import { MICROSOFT, requireOpset } from '../engine/require-opset.js';
import { copyMetadata, releaseOutput } from '../nodes.js';
import type { DynamicJob } from './dynamic-plan.js';
import type { DynamicWeights, QuantizedConstant } from './dynamic-weights.js';

interface DynamicInput {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

const NOT_FINITE = 'its weight has NaN or infinite values';

export class DynamicRewriter {
  readonly #weights: DynamicWeights;
  /** Quantized activations, once for each graph that reads them. */
  readonly #inputs: Map<Graph, Map<Value, DynamicInput>> = new Map();
  readonly #replaced: Set<Value> = new Set();

  constructor(weights: DynamicWeights) {
    this.#weights = weights;
  }

  /** Rewrites the node; gives the reason when it stays in float. */
  rewrite(job: DynamicJob): string | undefined {
    const { node, operands } = job;
    const written = node.is('LSTM')
      ? this.#lstm(job)
      : node.is('Gather')
        ? this.#gather(job)
        : this.#product(node, operands[0] as ConstantOperand);
    if (!written) return NOT_FINITE;
    for (const { value, through } of operands) {
      if (through) this.#replaced.add(through.output());
      this.#replaced.add(value);
    }
    return undefined;
  }

  /** Drops the float constants that nothing reads any more, and what turned them. */
  dropReplaced(): void {
    for (const value of this.#replaced) {
      const { producer } = value;
      if (producer && !producer.is('Constant')) {
        if (value.uses.size === 0 && !value.isGraphOutput && !value.pinned) producer.graph.remove(producer);
      } else dropIfUnused(value);
    }
  }

  #product(node: Node, operand: ConstantOperand): boolean {
    const isGemm = node.is('Gemm');
    const turned = (isGemm && node.int('transB', 0) !== 0) !== (operand.through !== undefined);
    const weight = this.#weights.factor(operand, turned, isGemm ? node.float('alpha', 1) : 1);
    if (!weight) return false;
    const bias = isGemm ? this.#scaledBias(node) : undefined;
    this.#multiply(node, weight, bias);
    return true;
  }

  /** The bias of a Gemm with its `beta` in it. */
  #scaledBias(node: Node): Value | undefined {
    const bias = node.input(2);
    const beta = node.float('beta', 1);
    const tensor = constantTensor(bias);
    if (!bias || !tensor || beta === 1) return bias;
    const values = tensor.float32Array().map((value) => value * beta);
    this.#replaced.add(bias);
    return addConstant(node.graph, `${bias.name}_scaled`, Tensor.float32(values, tensor.dims), node);
  }

  /** Writes DynamicQuantizeLinear → MatMulInteger → Cast → Mul (→ Add) in the node's place. */
  #multiply(node: Node, weight: QuantizedConstant, bias: Value | undefined): void {
    const { graph } = node;
    const label = nodeLabel(node);
    const input = this.#dynamicInput(node);
    const inputs = [input.quantized, weight.quantized, input.zeroPoint];
    const product = graph.addNode(
      {
        opType: 'MatMulInteger',
        name: `${label}_MatMulInteger`,
        inputs: weight.zeroPoint ? [...inputs, weight.zeroPoint] : inputs,
        outputs: [{ name: `${label}_MatMulInteger_output`, type: tensorType(DataType.INT32) }],
      },
      node,
    );
    copyMetadata(node, product);
    const cast = this.#add(node, 'Cast', [product.output()], [attribute('to', DataType.FLOAT)]);
    const scales = this.#add(node, 'Mul', [input.scale, weight.scale], [], 'scales');
    const before = node.next;
    const scaled = bias ? this.#add(node, 'Mul', [cast, scales], [], 'scaled') : undefined;
    const output = releaseOutput(node);
    if (scaled && bias)
      graph.addNode({ opType: 'Add', name: node.name, inputs: [scaled, bias], outputs: [output] }, before);
    else graph.addNode({ opType: 'Mul', name: node.name, inputs: [cast, scales], outputs: [output] }, before);
  }

  #add(
    node: Node,
    opType: string,
    inputs: readonly Value[],
    attributes: ReturnType<typeof attribute>[],
    role = opType,
  ): Value {
    const label = `${nodeLabel(node)}_${role}`;
    const added = node.graph.addNode(
      {
        opType,
        name: label,
        inputs,
        outputs: [{ name: `${label}_output`, type: tensorType(DataType.FLOAT) }],
        attributes,
      },
      node,
    );
    return added.output();
  }

  #dynamicInput(node: Node): DynamicInput {
    const value = node.input(0) as Value;
    const { graph } = node;
    let known = this.#inputs.get(graph);
    if (!known) {
      known = new Map();
      this.#inputs.set(graph, known);
    }
    let input = known.get(value);
    if (!input) {
      const shape = value.type?.kind === 'tensor' ? value.type.shape : undefined;
      const added = graph.addNode(
        {
          opType: 'DynamicQuantizeLinear',
          name: `${value.name}_DynamicQuantizeLinear`,
          inputs: [value],
          outputs: [
            { name: `${value.name}_quantized`, type: tensorType(DataType.UINT8, shape) },
            { name: `${value.name}_scale`, type: tensorType(DataType.FLOAT, []) },
            { name: `${value.name}_zero_point`, type: tensorType(DataType.UINT8, []) },
          ],
        },
        node,
      );
      input = { quantized: added.output(0), scale: added.output(1), zeroPoint: added.output(2) };
      known.set(value, input);
    }
    return input;
  }

  /** A table of embeddings: rows and their scales are looked up, then multiplied. */
  #gather({ node, operands }: DynamicJob): boolean {
    const constant = this.#weights.table(operands[0] as ConstantOperand);
    if (!constant) return false;
    const indices = node.input(1) as Value;
    const label = nodeLabel(node);
    const rowScale = this.#add(node, 'Gather', [constant.scale, indices], [], 'scale');
    const rows = node.graph.addNode(
      {
        opType: 'Gather',
        name: `${label}_rows`,
        inputs: [constant.quantized, indices],
        outputs: [{ name: `${label}_rows_output`, type: tensorType(DataType.INT8) }],
      },
      node,
    );
    copyMetadata(node, rows);
    const cast = this.#add(node, 'Cast', [rows.output()], [attribute('to', DataType.FLOAT)]);
    const { graph } = node;
    const before = node.next;
    const output = releaseOutput(node);
    graph.addNode({ opType: 'Mul', name: node.name, inputs: [cast, rowScale], outputs: [output] }, before);
    return true;
  }

  /** ONNX Runtime's DynamicQuantizeLSTM. */
  #lstm({ node, operands }: DynamicJob): boolean {
    const [input, recurrent] = operands.map((operand) => this.#weights.gates(operand));
    if (!input || !recurrent) return false;
    const optional = [3, 4, 5, 6, 7].map((slot) => node.input(slot));
    node.setInputs([
      node.input(0),
      input.quantized,
      recurrent.quantized,
      ...optional,
      input.scale,
      input.zeroPoint,
      recurrent.scale,
      recurrent.zeroPoint,
    ]);
    node.removeAttribute('layout');
    node.opType = 'DynamicQuantizeLSTM';
    node.domain = MICROSOFT;
    requireOpset(node.graph, node);
    return true;
  }
}
