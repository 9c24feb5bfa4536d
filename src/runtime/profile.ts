/** What ONNX Runtime's profile tells of a run, as plain data. */

/** Proof of where the graph ran, from ONNX Runtime's own profile. */
export interface ProviderUse {
  /** ONNX Runtime's name, for example `CUDAExecutionProvider`. */
  readonly provider: string;
  readonly nodes: number;
  readonly kernelMs: number;
}

/** Operators by the time they took, from ONNX Runtime's profile. */
export interface OperatorTime {
  readonly opType: string;
  readonly provider: string;
  /** Nodes of this operator. */
  readonly nodes: number;
  /** Mean time of one run of the model in all of them. */
  readonly msPerRun: number;
  /** Of the time in all nodes, 0 to 1. */
  readonly share: number;
}

/** A node by the time it took. */
export interface NodeTime {
  readonly name: string;
  readonly opType: string;
  readonly provider: string;
  readonly msPerRun: number;
  readonly share: number;
}

export interface ProfileReport {
  readonly runs: number;
  readonly providers: readonly ProviderUse[];
  readonly operators: readonly OperatorTime[];
  readonly nodes: readonly NodeTime[];
}
