/** Zeros of the weight of one layer. */
export interface LayerSparsityReport {
  readonly node: string;
  readonly opType: string;
  readonly weight: string;
  readonly elements: number;
  readonly zeros: number;
  /** Where at most N of every M along an axis are other than zero. */
  readonly pattern?: {
    /** `2:4`. */
    readonly name: string;
    readonly axis: number;
    /** Whether the layer sums over the axis; runtimes use patterns along such axes only. */
    readonly alongInputs: boolean;
  };
}

/** A runtime, and what it could skip of the zeros. */
export interface SparseRuntimeReport {
  readonly name: string;
  /** Layers whose zeros it can skip. */
  readonly layers: number;
  readonly needs: string;
}

/** Zeros among the weights of layers. */
export interface SparsityReport {
  readonly elements: number;
  readonly zeros: number;
  /** Bytes of these weights. */
  readonly bytes: number;
  /** About what gzip makes of them, from samples of at most 2 MiB; absent where there are hardly any zeros. */
  readonly estimatedCompressedBytes?: number;
  readonly layers: readonly LayerSparsityReport[];
  readonly runtimes: readonly SparseRuntimeReport[];
}
