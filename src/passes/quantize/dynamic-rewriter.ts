/** Turns single nodes to dynamic INT8. */
import { attribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import type { QuantizedType } from '../../quantize/scheme.js';
import { transposedLastAxes } from '../../quantize/transposed.js';
import { type QuantizedWeights, quantizeWeights } from '../../quantize/weights.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant, dropIfUnused } from '../constants.js';
import { copyMetadata, releaseOutput } from '../nodes.js';

export interface DynamicOptions {
  readonly include: readonly string[];
  readonly perChannel: boolean;
  readonly reduceRange: boolean;
  readonly weightType: QuantizedType;
  readonly embeddings: boolean;
  readonly target: 'portable' | 'ort';
  readonly smallestWeight: number;
}

/** Smallest embedding table worth two more nodes a lookup, in bytes. */
const SMALLEST_TABLE_BYTES = 64 * 1024;

interface DynamicInput {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value;
}

interface ConstantWeight {
  readonly quantized: Value;
  readonly scale: Value;
  readonly zeroPoint: Value | undefined;
}

/** Rows of a table have zero point 0, and nothing reads it. */
const TABLE = 'table';

const NOT_FINITE = 'its weight holds NaN or an infinity';

export class DynamicRewriter {
  readonly #options: DynamicOptions;
  /** Quantized activations, once for each graph that reads them. */
  readonly #inputs: Map<Graph, Map<Value, DynamicInput>> = new Map();
  /** Quantized weights by use: a weight read by several nodes is written once. */
  readonly #weights: Map<Value, Map<string, ConstantWeight | undefined>> = new Map();
  readonly #replaced: Set<Value> = new Set();
  usesContribOperators = false;

  constructor(options: DynamicOptions) {
    this.#options = options;
  }

  /** Rewrites the node; gives the reason when it stays in float. */
  rewrite(node: Node): string | undefined {
    if (node.is('MatMul')) return this.#matMul(node);
    if (node.is('Gemm')) return this.#gemm(node);
    if (node.is('Gather')) return this.#gather(node);
    if (node.is('LSTM')) return this.#lstm(node);
    if (node.is('Conv') || node.is('ConvTranspose'))
      return 'an INT8 convolution needs measured ranges: give calibration data';
    return `ONNX has no dynamic INT8 form of ${node.opType}`;
  }

  /** Drops the float constants that nothing reads any more. */
  dropReplaced(): void {
    for (const value of this.#replaced) dropIfUnused(value);
  }

  #matMul(node: Node): string | undefined {
    const weight = this.#weightOf(node, 1);
    if (typeof weight === 'string') return weight;
    if (weight.rank < 2) return `its weight has rank ${weight.rank}`;
    const axis = this.#options.perChannel && weight.rank === 2 ? 1 : undefined;
    const constant = this.#constant(node.input(1) as Value, `axis ${axis}`, () => this.#quantize(weight, axis));
    if (!constant) return NOT_FINITE;
    this.#multiply(node, constant, undefined);
    return undefined;
  }

  #gemm(node: Node): string | undefined {
    const weight = this.#weightOf(node, 1);
    if (typeof weight === 'string') return weight;
    if (weight.rank !== 2) return `its weight has rank ${weight.rank}`;
    if (node.int('transA', 0) !== 0) return 'its data is transposed (transA)';
    const bias = node.input(2);
    const beta = node.float('beta', 1);
    const biasTensor = constantTensor(bias);
    if (bias && beta !== 1 && biasTensor?.dataType !== DataType.FLOAT) return 'its bias is computed and scaled (beta)';
    const transposed = node.int('transB', 0) !== 0;
    const alpha = node.float('alpha', 1);
    const axis = this.#options.perChannel ? (transposed ? 0 : 1) : undefined;
    const constant = this.#constant(node.input(1) as Value, `gemm ${axis} ${transposed} ${alpha}`, () => {
      const quantized = this.#quantize(weight, axis);
      if (!quantized) return undefined;
      const scales = quantized.parameters.scales.map((scale) => scale * alpha);
      return {
        ...quantized,
        quantized: transposed ? transposedLastAxes(quantized.quantized) : quantized.quantized,
        scale: Tensor.float32(scales, quantized.scale.dims),
      };
    });
    if (!constant) return NOT_FINITE;
    if (bias && beta !== 1 && biasTensor) {
      const scaled = Tensor.float32(
        biasTensor.float32Array().map((value) => value * beta),
        biasTensor.dims,
      );
      this.#replaced.add(bias);
      this.#multiply(node, constant, addConstant(node.graph, `${bias.name}_scaled`, scaled, node));
    } else this.#multiply(node, constant, bias);
    return undefined;
  }

  /** Writes DynamicQuantizeLinear → MatMulInteger → Cast → Mul (→ Add) in the node's place. */
  #multiply(node: Node, weight: ConstantWeight, bias: Value | undefined): void {
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
    this.#replaced.add(node.input(1) as Value);
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
  #gather(node: Node): string | undefined {
    const table = constantTensor(node.input(0));
    if (!this.#options.embeddings) return 'embeddings stay in float';
    if (table?.dataType !== DataType.FLOAT || table.rank < 2) return 'its data is not a constant FLOAT table';
    const axis = node.int('axis', 0);
    if (axis !== 0 && axis !== -table.rank) return 'it does not look up rows';
    if (table.byteLength < SMALLEST_TABLE_BYTES) return 'its table is small';
    const value = node.input(0) as Value;
    const constant = this.#constant(value, TABLE, () => {
      const rows = quantizeWeights(table, { type: 's8', symmetric: true, axis: 0 });
      const dims = table.dims.map((dim, at) => (at === 0 ? dim : 1));
      return rows && { ...rows, scale: rows.scale.reshaped(dims) };
    });
    if (!constant) return NOT_FINITE;
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
    this.#replaced.add(value);
    const output = releaseOutput(node);
    graph.addNode({ opType: 'Mul', name: node.name, inputs: [cast, rowScale], outputs: [output] }, before);
    return undefined;
  }

  /** ONNX Runtime's DynamicQuantizeLSTM: weights as [directions, input, 4·hidden], scales as [directions, 4·hidden] or [directions]. */
  #lstm(node: Node): string | undefined {
    if (this.#options.target !== 'ort')
      return 'ONNX has no dynamic INT8 LSTM; --target ort allows that of ONNX Runtime';
    if (node.int('layout', 0) !== 0) return 'its batch comes first (layout = 1)';
    const weights = [1, 2].map((slot) => this.#weightOf(node, slot));
    const constants: ConstantWeight[] = [];
    for (const [index, weight] of weights.entries()) {
      if (typeof weight === 'string') return weight;
      if (weight?.rank !== 3) return 'its weights do not have rank 3';
      const constant = this.#constant(node.input(index + 1) as Value, 'lstm', () => this.#quantizeGates(weight));
      if (!constant) return NOT_FINITE;
      constants.push(constant);
    }
    const [input, recurrent] = constants as [ConstantWeight, ConstantWeight];
    const optional = [3, 4, 5, 6, 7].map((slot) => node.input(slot));
    this.#replaced.add(node.input(1) as Value).add(node.input(2) as Value);
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
    node.domain = 'com.microsoft';
    this.usesContribOperators = true;
    return undefined;
  }

  #quantizeGates(weight: Tensor): QuantizedWeights | undefined {
    const [directions, gates, inputs] = weight.dims as [number, number, number];
    const { perChannel } = this.#options;
    const quantized = this.#quantize(perChannel ? weight.reshaped([directions * gates, inputs]) : weight, 0);
    if (!quantized) return undefined;
    const dims = perChannel ? [directions, gates] : [directions];
    return {
      ...quantized,
      quantized: transposedLastAxes(quantized.quantized.reshaped(weight.dims)),
      scale: quantized.scale.reshaped(dims),
      zeroPoint: quantized.zeroPoint.reshaped(dims),
    };
  }

  /** The constant weight at `slot`, or why it cannot be quantized. */
  #weightOf(node: Node, slot: number): Tensor | string {
    const weight = constantTensor(node.input(slot));
    if (!weight) {
      const computed = node.is('MatMul') && !constantTensor(node.input(0));
      return computed ? 'both inputs are computed: it multiplies activations' : 'its weight is not constant';
    }
    if (constantTensor(node.input(0))) return 'its data is constant';
    if (weight.dataType !== DataType.FLOAT) return 'its weight is not FLOAT';
    if (weight.size === 0) return 'its weight is empty';
    if (weight.size < this.#options.smallestWeight && this.#options.include.length === 0) {
      return `it has only ${weight.size} weights: more nodes would cost more than they save`;
    }
    return weight;
  }

  #quantize(weight: Tensor, axis: number | undefined): QuantizedWeights | undefined {
    const { weightType, reduceRange, perChannel } = this.#options;
    const symmetric = weightType === 's8' || perChannel;
    return quantizeWeights(weight, { type: weightType, symmetric, reduceRange, axis });
  }

  /** Constants for a weight, made once for each way (`use`) of quantizing it, in the graph that holds it. */
  #constant(value: Value, use: string, make: () => QuantizedWeights | undefined): ConstantWeight | undefined {
    let byUse = this.#weights.get(value);
    if (!byUse) {
      byUse = new Map();
      this.#weights.set(value, byUse);
    }
    if (!byUse.has(use)) {
      const made = make();
      byUse.set(
        use,
        made && {
          quantized: addConstant(value.graph, `${value.name}_quantized`, made.quantized),
          scale: addConstant(value.graph, `${value.name}_scale`, made.scale),
          zeroPoint: use === TABLE ? undefined : addConstant(value.graph, `${value.name}_zero_point`, made.zeroPoint),
        },
      );
    }
    return byUse.get(use);
  }
}
