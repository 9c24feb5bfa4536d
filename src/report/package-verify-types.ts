import type { OutputAgreement } from '../evaluate/equality.js';
import type { ReportHeader } from './types.js';

/** One way to send requests: a protocol of `src/serving/`. */
export interface VerifiedWire {
  readonly protocol: string;
  /** Requests that were sent one after the other. */
  readonly requests: number;
  /** Requests that were in flight at once. */
  readonly concurrent: number;
  /** Against what ONNX Runtime gives for the same inputs; empty where there is nothing to compare with. */
  readonly outputs: readonly OutputAgreement[];
  /** Why it failed, one sentence. */
  readonly failure?: string;
  /** Why nothing was sent, one sentence. */
  readonly skipped?: string;
}

/** A version of a model of the package. */
export interface VerifiedModel {
  readonly name: string;
  readonly version?: string;
  /** What it is compared with. */
  readonly reference: 'ONNX Runtime' | 'none';
  /** Why there is no reference, or why the model is not served, one sentence. */
  readonly why?: string;
  /** Whether the server has it ready. */
  readonly ready: boolean;
  readonly wires: readonly VerifiedWire[];
  /** Ready, and no wire failed. */
  readonly ok: boolean;
}

/** Result of `package verify`. */
export interface PackageVerifyReport extends ReportHeader {
  readonly command: 'package verify';
  /** The package, as given. */
  readonly package: string;
  readonly kind: 'triton' | 'torchserve';
  readonly server: {
    /** Name and version, where it reports them. */
    readonly name: string;
    /** Started for this run, and ended; else one that was running. */
    readonly started: boolean;
    /** Until every model was loaded, in ms; only of one that was started. */
    readonly startMs?: number;
  };
  /** Name of the data, or `synthetic`. */
  readonly source: string;
  readonly models: readonly VerifiedModel[];
  readonly ok: boolean;
}
