/** Puts QuantizeLinear and DequantizeLinear into a graph. */
import { attribute } from '../../ir/attribute.js';
import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { tensorType, type ValueType } from '../../ir/type.js';
import type { Use, Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { type QuantizationParameters, type QuantizationScheme, S32_BIASES, schemeText } from '../../quantize/scheme.js';
import { storedNumbers } from '../../quantize/stored-numbers.js';
import { type WeightParameters, weightsWithParameters } from '../../quantize/weights.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { MICROSOFT, requireOpset } from '../engine/require-opset.js';

/** Scale and zero point of an activation, and the scheme that they are for. */
export interface ActivationParameters extends QuantizationParameters {
  readonly scheme: QuantizationScheme;
}

/** Scale and zero point as values of a graph. */
interface ParameterValues {
  readonly scale: Value;
  readonly zeroPoint: Value;
}

/** A quantized weight as values of the graph that its original is of. */
interface WeightConstants {
  readonly inputs: readonly Value[];
  readonly dims: readonly number[];
}

/** Writes quantize–dequantize pairs and dequantized constants, each once a graph. */
export class QdqWriter {
  readonly #parameters: Map<Graph, Map<Value, Map<string, ParameterValues>>> = new Map();
  readonly #weights: Map<Graph, Map<Tensor, Map<WeightParameters, Value>>> = new Map();
  readonly #constants: Map<Graph, Map<Tensor, Map<WeightParameters, WeightConstants>>> = new Map();

  /**
   * Makes the uses of `value` in `uses` read it through a quantize–dequantize pair in `graph`. `root` names the tensor whose
   * range it takes: tensors with one root share scale and zero point.
   */
  addPair(graph: Graph, value: Value, uses: readonly Use[], root: Value, parameters: ActivationParameters): Value {
    const anchor = value.producer && value.graph === graph ? value.producer.next : graph.nodes.first;
    const dequantized = this.#pair(graph, value, value.name, root, parameters, anchor, {
      name: `${value.name}_DequantizeLinear_Output`,
      type: value.type,
    });
    for (const use of uses) use.node.setInput(use.slot, dequantized);
    return dequantized;
  }

  /**
   * Puts a pair between `value`, an output of the graph, and its producer, so that the graph's output keeps its name and
   * every use reads the dequantized value.
   */
  addPairBeforeOutput(value: Value, root: Value, parameters: ActivationParameters): void {
    const producer = value.producer as Node;
    const { graph } = value;
    const index = value.outputIndex;
    const inner = graph.newValue(graph.model.freshName(`${value.name}_QuantizeLinear_Input`), value.type);
    producer.setOutput(index, inner);
    this.#pair(graph, inner, value.name, root, parameters, producer.next, value);
  }

  #pair(
    graph: Graph,
    input: Value,
    name: string,
    root: Value,
    parameters: ActivationParameters,
    anchor: Node | undefined,
    output: Value | { readonly name: string; readonly type: ValueType | undefined },
  ): Value {
    const { scale, zeroPoint } = this.#parameterValues(graph, root, parameters, anchor);
    const domain = domainOf(graph, parameters.scheme);
    const integers = graph.addNode(
      {
        opType: 'QuantizeLinear',
        domain,
        name: `${name}_QuantizeLinear`,
        inputs: [input, scale, zeroPoint],
        outputs: [{ name: `${name}_QuantizeLinear_Output`, type: integerType(parameters.scheme, input.type) }],
      },
      anchor,
    );
    const node = graph.addNode(
      {
        opType: 'DequantizeLinear',
        domain,
        name: `${name}_DequantizeLinear`,
        inputs: [integers.output(), scale, zeroPoint],
        outputs: [output],
      },
      anchor,
    );
    return node.output();
  }

  #parameterValues(graph: Graph, root: Value, parameters: ActivationParameters, before?: Node): ParameterValues {
    const known = entry(entry(this.#parameters, graph), root);
    const key = schemeText(parameters.scheme);
    let values = known.get(key);
    if (!values) {
      const { storage } = parameters.scheme;
      values = {
        scale: addConstant(graph, `${root.name}_scale`, Tensor.float32([parameters.scale], []), before),
        zeroPoint: addConstant(
          graph,
          `${root.name}_zero_point`,
          Tensor.of(storage, [], storedNumbers([parameters.zeroPoint], { storage })),
          before,
        ),
      };
      known.set(key, values);
    }
    return values;
  }

  /**
   * The dequantized weight as a value of the graph of `before`, made once for each weight and set of parameters. Its constants stand where the
   * weight stood, so that subgraphs share them.
   */
  dequantizedWeight(original: Value, weight: Tensor, parameters: WeightParameters, before: Node): Value {
    const { graph } = before;
    const known = entry(entry(this.#weights, graph), weight);
    let value = known.get(parameters);
    if (!value) {
      const { inputs, dims } = this.#weightConstants(original, weight, parameters, before);
      value = this.#dequantizeNode(
        graph,
        original.name,
        inputs,
        { dims, scheme: parameters.scheme },
        parameters.axis,
        before,
      );
      known.set(parameters, value);
    }
    return value;
  }

  /**
   * As `dequantizedWeight`, with the weight in float in front of a QuantizeLinear: for runtimes that have no INT8 constants. A weight that was
   * changed (the `alpha` of a Gemm) is a constant of its own.
   */
  pairedWeight(original: Value, weight: Tensor, parameters: WeightParameters, before: Node): Value {
    const { graph } = before;
    const known = entry(entry(this.#weights, graph), weight);
    const made = known.get(parameters);
    if (made) return made;
    const { scale, zeroPoint } = weightsWithParameters(weight, parameters);
    const source =
      constantTensor(original) === weight ? original : addConstant(graph, `${original.name}_scaled`, weight, before);
    const scales = [
      addConstant(graph, `${original.name}_scale`, scale, before),
      addConstant(graph, `${original.name}_zero_point`, zeroPoint, before),
    ];
    const attributes = parameters.axis === undefined ? [] : [attribute('axis', parameters.axis)];
    const integers = graph.addNode(
      {
        opType: 'QuantizeLinear',
        name: `${original.name}_QuantizeLinear`,
        inputs: [source, ...scales],
        outputs: [
          {
            name: `${original.name}_QuantizeLinear_Output`,
            type: tensorType(parameters.scheme.storage, weight.dims),
          },
        ],
        attributes,
      },
      before,
    );
    const inputs = [integers.output(), ...scales];
    const { axis, scheme } = parameters;
    const value = this.#dequantizeNode(graph, original.name, inputs, { dims: weight.dims, scheme }, axis, before);
    known.set(parameters, value);
    return value;
  }

  #weightConstants(original: Value, weight: Tensor, parameters: WeightParameters, before: Node): WeightConstants {
    const { graph, name } = original;
    const known = entry(entry(this.#constants, graph), weight);
    let constants = known.get(parameters);
    if (!constants) {
      const { quantized, scale, zeroPoint } = weightsWithParameters(weight, parameters);
      const place = graph === before.graph ? before : undefined;
      const inputs = [
        addConstant(graph, `${name}_quantized`, quantized, place),
        addConstant(graph, `${name}_scale`, scale, place),
        addConstant(graph, `${name}_zero_point`, zeroPoint, place),
      ];
      constants = { inputs, dims: quantized.dims };
      known.set(parameters, constants);
    }
    return constants;
  }

  /** An INT32 bias and its scales as a dequantized value. */
  dequantizedBias(graph: Graph, name: string, bias: Int32Array, scales: Float32Array, before: Node): Value {
    const axis = scales.length === 1 ? undefined : 0;
    const scaleDims = axis === undefined ? [] : [scales.length];
    const inputs = [
      addConstant(graph, `${name}_quantized`, Tensor.int32(bias), before),
      addConstant(graph, `${name}_quantized_scale`, Tensor.float32(scales, scaleDims), before),
      addConstant(
        graph,
        `${name}_quantized_zero_point`,
        Tensor.int32(new Int32Array(scales.length), scaleDims),
        before,
      ),
    ];
    return this.#dequantizeNode(graph, name, inputs, { dims: [bias.length], scheme: S32_BIASES }, axis, before);
  }

  #dequantizeNode(
    graph: Graph,
    name: string,
    inputs: readonly Value[],
    { dims, scheme }: { readonly dims: readonly number[]; readonly scheme: QuantizationScheme },
    axis: number | undefined,
    before: Node,
  ): Value {
    const node = graph.addNode(
      {
        opType: 'DequantizeLinear',
        domain: domainOf(graph, scheme),
        name: `${name}_DequantizeLinear`,
        inputs,
        outputs: [{ name: `${name}_DequantizeLinear_Output`, type: tensorType(DataType.FLOAT, dims) }],
        attributes: axis === undefined ? [] : [attribute('axis', axis)],
      },
      before,
    );
    return node.output();
  }
}

/** The domain of nodes of a scheme, imported: ONNX has no pairs of 16 bits before opset 21. */
function domainOf(graph: Graph, { bits }: QuantizationScheme): string {
  if (bits !== 16 || graph.model.opset() >= 21) return '';
  requireOpset(graph, graph);
  return MICROSOFT;
}

function integerType({ storage }: QuantizationScheme, type: ValueType | undefined): ValueType {
  return tensorType(storage, type?.kind === 'tensor' ? type.shape : undefined);
}

function entry<A, B, C>(map: Map<A, Map<B, C>>, key: A): Map<B, C> {
  let inner = map.get(key);
  if (!inner) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}
