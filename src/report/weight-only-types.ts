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
  readonly method: 'rtn' | 'kquant' | 'hqq' | 'gptq' | 'awq';
  /** Why this method, where none was asked for. */
  readonly methodReason?: string;
  /** Methods that were held against the original. */
  readonly tried?: readonly TriedWeightsReport[];
  /** Products whose inputs the layer before could scale by what samples activate. Where AWQ was asked for. */
  readonly scaled?: readonly ScaledGroupReport[];
  /** Weights that got 8 bits because the file has room for them. With a largest size. */
  readonly mixed?: MixedBitsReport;
  readonly accuracyLevel?: AccuracyLevelReport;
  /** Of all weights that were quantized, with their scales. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly weights: readonly QuantizedWeightReport[];
}

/** Products that share their inputs, and the factors that these got. */
export interface ScaledGroupReport {
  /** The value that is scaled. */
  readonly name: string;
  /** Names of the weights that read it. */
  readonly products: readonly string[];
  /** Factors are mean magnitudes of the inputs to this power; 0 where none were worth it. */
  readonly alpha: number;
  /** Noise of the outputs of the products on held-out samples, over that without factors. */
  readonly errorRatio?: number;
}

/** Weights with 8 bits, within a size. */
export interface MixedBitsReport {
  readonly maxSizeBytes: number;
  /** With all weights at the bits asked for, and as it is. */
  readonly lowSizeBytes: number;
  readonly sizeBytes: number;
  /** Weights that could have been raised. */
  readonly candidates: number;
  /** The layer that gives the scores has no more bits than the rest: at 8 bits the file would not fit. */
  readonly headLowered?: true;
  /** Samples that layers were ranked on; absent where nothing was ranked, with the reason. */
  readonly samples?: number;
  readonly reason?: string;
  /** In the order in which they were raised. */
  readonly raised: readonly RaisedWeightReport[];
}

/** A weight that got 8 bits. */
export interface RaisedWeightReport {
  readonly name: string;
  /** Signal to noise of the outputs with this weight alone at the lower bits, or its share of what a group loses, in dB. */
  readonly sqnrDb: number;
  /** Bytes that it took. */
  readonly addedBytes: number;
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
  /** Error of the outputs of its layers on samples, over that of round-to-nearest: below 1 is better. Where GPTQ or AWQ made it. */
  readonly errorRatio?: number;
}
