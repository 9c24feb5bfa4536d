/** INT8 constants of dynamic quantization: each weight is written once for each way in which nodes read it. */
import { attribute } from '../../ir/attribute.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import type { ConstantOperand } from '../../quantize/constant-operand.js';
import { quantizeMatrices } from '../../quantize/matrix-weights.js';
import { type Granularity, schemeOf } from '../../quantize/scheme.js';
import { transposedLastAxes } from '../../quantize/transposed.js';
import { quantizeWeights } from '../../quantize/weights.js';
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import type { DynamicOptions } from './dynamic-options.js';

/** A quantized weight as nodes read it. */
export interface QuantizedConstant {
  readonly quantized: Value;
  readonly scale: Value;
  /** Absent where it is 0 and nothing needs it. */
  readonly zeroPoint: Value | undefined;
}

/** Rows of a table. */
const S8_ROWS = schemeOf('s8', { symmetric: true, granularity: { kind: 'channel', axis: 0 } });

interface Form {
  readonly quantized: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint?: Tensor;
}

export class DynamicWeights {
  readonly #options: DynamicOptions;
  readonly #shared: ReadonlySet<Value>;
  readonly #known: Map<Value, Map<string, QuantizedConstant | undefined>> = new Map();
  readonly #transposed: Map<Value, Value> = new Map();

  /** @param shared tables of which one copy serves lookups and products */
  constructor(options: DynamicOptions, shared: ReadonlySet<Value>) {
    this.#options = options;
    this.#shared = shared;
  }

  /**
   * The right operand of a product, as [...batch, inputs, outputs]. Undefined when it holds NaN or an infinity.
   * @param turned the constant has its last axes the other way around
   * @param alpha factor of the product, which goes into the scales
   */
  factor({ value, tensor }: ConstantOperand, turned: boolean, alpha: number): QuantizedConstant | undefined {
    if (turned && this.#shared.has(value)) return this.#turnedTable(value, tensor, alpha);
    return this.#constant(value, `factor ${turned} ${alpha}`, () => {
      const form = turned ? this.#turned(tensor) : this.#upright(tensor);
      return form && { ...form, scale: scaled(form.scale, alpha) };
    });
  }

  /** A table whose rows are looked up, each with its scale. Undefined when it holds NaN or an infinity. */
  table({ value, tensor }: ConstantOperand): QuantizedConstant | undefined {
    return this.#constant(value, 'table', () => {
      const rows = quantizeWeights(tensor, S8_ROWS);
      const dims = tensor.dims.map((dim, at) => (at === 0 ? dim : 1));
      return rows && { quantized: rows.quantized, scale: rows.scale.reshaped(dims) };
    });
  }

  /** Weights of an LSTM as DynamicQuantizeLSTM takes them: [directions, input, gates], scales [directions, gates] or [directions]. */
  gates({ value, tensor }: ConstantOperand): QuantizedConstant | undefined {
    return this.#constant(value, 'gates', () => {
      const [directions, gates, inputs] = tensor.dims as [number, number, number];
      const perChannel = this.#perChannel;
      const made = this.#quantize(perChannel ? tensor.reshaped([directions * gates, inputs]) : tensor, 0);
      if (!made) return undefined;
      const dims = perChannel ? [directions, gates] : [directions];
      return {
        quantized: transposedLastAxes(made.quantized.reshaped(tensor.dims)),
        scale: made.scale.reshaped(dims),
        zeroPoint: made.zeroPoint.reshaped(dims),
      };
    });
  }

  /** A table that products read as well: its rows are their columns. Runtimes turn a constant once, when they load it. */
  #turnedTable(value: Value, tensor: Tensor, alpha: number): QuantizedConstant | undefined {
    const table = this.table({ value, tensor, through: undefined });
    if (!table) return undefined;
    let quantized = this.#transposed.get(value);
    if (!quantized) {
      const { graph } = value;
      const dims = [tensor.dims[1] as number, tensor.dims[0] as number];
      quantized = graph
        .addNode(
          {
            opType: 'Transpose',
            name: `${value.name}_quantized_Transpose`,
            inputs: [table.quantized],
            outputs: [{ name: `${value.name}_quantized_transposed`, type: tensorType(DataType.INT8, dims) }],
            attributes: [attribute('perm', [1, 0])],
          },
          graph.nodes.first,
        )
        .output();
      this.#transposed.set(value, quantized);
    }
    const scales = table.scale.tensor as Tensor;
    const scale = this.#scale(value, alpha, () => scaled(scales.reshaped([scales.size]), alpha));
    return { quantized, scale, zeroPoint: undefined };
  }

  readonly #scales: Map<Value, Map<number, Value>> = new Map();

  #scale(value: Value, alpha: number, make: () => Tensor): Value {
    const known = this.#scales.get(value) ?? new Map<number, Value>();
    this.#scales.set(value, known);
    const scale = known.get(alpha) ?? addConstant(value.graph, `${value.name}_column_scale`, make());
    known.set(alpha, scale);
    return scale;
  }

  #upright(tensor: Tensor): Form | undefined {
    if (tensor.rank > 2 && this.#perChannel) return quantizeMatrices(tensor, this.#options.weights);
    return this.#quantize(tensor, this.#perChannel ? 1 : undefined);
  }

  /** Rows of the constant are columns of the factor. */
  #turned(tensor: Tensor): Form | undefined {
    if (!this.#perChannel) {
      const whole = this.#quantize(tensor, undefined);
      return whole && { ...whole, quantized: transposedLastAxes(whole.quantized) };
    }
    const [rows, columns] = tensor.dims.slice(-2) as [number, number];
    const batch = tensor.dims.slice(0, -2);
    const count = tensor.size / columns;
    const made = this.#quantize(tensor.reshaped([count, columns]), 0);
    if (!made) return undefined;
    const quantized = transposedLastAxes(made.quantized.reshaped(tensor.dims));
    if (batch.length === 0) return { ...made, quantized };
    const zeroPoint = Tensor.of(made.zeroPoint.dataType, [], made.zeroPoint.bytes().slice(0, 1));
    return { quantized, scale: made.scale.reshaped([...batch, 1, rows]), zeroPoint };
  }

  get #perChannel(): boolean {
    return this.#options.weights.granularity.kind === 'channel';
  }

  #quantize(tensor: Tensor, axis: number | undefined) {
    const { weights } = this.#options;
    const symmetric = weights.symmetric || this.#perChannel;
    const granularity: Granularity = axis === undefined ? { kind: 'tensor' } : { kind: 'channel', axis };
    return quantizeWeights(tensor, { ...weights, symmetric, granularity });
  }

  /** Constants for a weight, made once for each way (`use`) of quantizing it, in the graph that holds it. */
  #constant(value: Value, use: string, make: () => Form | undefined): QuantizedConstant | undefined {
    const byUse = this.#known.get(value) ?? new Map<string, QuantizedConstant | undefined>();
    this.#known.set(value, byUse);
    if (!byUse.has(use)) {
      const made = make();
      byUse.set(
        use,
        made && {
          quantized: addConstant(value.graph, `${value.name}_quantized`, made.quantized),
          scale: addConstant(value.graph, `${value.name}_scale`, made.scale),
          zeroPoint: made.zeroPoint && addConstant(value.graph, `${value.name}_zero_point`, made.zeroPoint),
        },
      );
    }
    return byUse.get(use);
  }
}

function scaled(scales: Tensor, alpha: number): Tensor {
  return alpha === 1
    ? scales
    : Tensor.float32(
        scales.float32Array().map((scale) => scale * alpha),
        scales.dims,
      );
}
