/** Modes that quantize weights and leave activations as they are. */
export type WeightOnlyMode = 'int4' | 'int8-weights' | 'int2';

/** What quantizing weights alone came to. */
export interface WeightOnlyReport {
  readonly bits: 2 | 4 | 8;
  /** Inputs that share a scale. */
  readonly block: number;
  readonly symmetric: boolean;
  /** MatMulNBits of ONNX Runtime, or DequantizeLinear in blocks. */
  readonly operators: 'portable' | 'ort';
  readonly method: 'rtn' | 'kquant' | 'hqq' | 'gptq';
  /** Why this method, where none was asked for. */
  readonly methodReason?: string;
  /** Methods that were held against the original. */
  readonly tried?: readonly TriedWeightsReport[];
  readonly accuracyLevel?: AccuracyLevelReport;
  /** Of all weights that were quantized, with their scales. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly weights: readonly QuantizedWeightReport[];
}

/** A form of the weights that was held against the original on samples. */
export interface TriedWeightsReport {
  readonly method: WeightOnlyReport['method'];
  /** Signal to noise of the output that lost most, in dB; absent where nothing was lost. */
  readonly sqnrDb?: number;
}

/** The precision of products in MatMulNBits. */
export interface AccuracyLevelReport {
  /** 0 leaves it to the runtime, 1 is FLOAT, 4 is activations of 8 bits. */
  readonly level: 0 | 1 | 4;
  readonly reason: string;
}

/** A weight, once for all layers that read it. */
export interface QuantizedWeightReport {
  readonly name: string;
  readonly layers: readonly string[];
  readonly bits: 2 | 4 | 8;
  readonly block: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Why it has other bits than the rest, or another method. */
  readonly reason?: string;
  /** Error of the outputs of its layers on samples, over that of round-to-nearest: below 1 is better. Where GPTQ made it. */
  readonly errorRatio?: number;
}
