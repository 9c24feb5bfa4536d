import type { Model } from '../../../ir/model.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import type { SampleSource } from '../../../samples/types.js';
import type { ExecutionOptions, WorkflowContext } from '../../options.js';
import type { RepairEffort } from '../../repair-effort.js';

/** Limits by effort: in counts of work, not in time, so that results are the same on every machine. */
export const REPAIR_LIMITS: Readonly<
  Record<
    RepairEffort,
    {
      /** Samples that steps are made from, and that decide. */
      readonly fitted: number;
      readonly heldOut: number;
      /** Multiply-adds for rounding weights, of all layers together. */
      readonly roundingWork: number;
      /** How often the quantized model is run for the correction of biases: layers are taken in so many groups, one after the other. */
      readonly biasRounds: number;
    }
  >
> = {
  low: { fitted: 32, heldOut: 16, roundingWork: 0, biasRounds: 0 },
  medium: { fitted: 64, heldOut: 32, roundingWork: 2e10, biasRounds: 12 },
  high: { fitted: 256, heldOut: 64, roundingWork: 4e11, biasRounds: 100 },
};

/** A FLOAT model on its way through the repair, and what quantization makes of it. */
export interface RepairState {
  /** What the steps have made of the model: FLOAT, ready to be quantized. */
  readonly model: Model;
  /** The same network before its weights were rounded or its biases corrected: what its layers should compute. */
  readonly reference: Model;
  readonly ranges: RangeMap;
  readonly quantized: Model;
  /** On held-out samples. */
  readonly sqnrDb: number;
}

/** What a step proposes; a sentence where it has nothing to propose. */
export type RepairProposal =
  | string
  | {
      readonly model: Model;
      /** True where the model computes what it computed before, so that ranges are measured anew. */
      readonly equivalent: boolean;
      readonly what: string;
    };

/** What steps work with. */
export interface RepairTools {
  readonly runtime: RuntimeHost;
  readonly options: ExecutionOptions & Pick<WorkflowContext, 'signal'>;
  readonly effort: RepairEffort;
  /** Samples to fit to. */
  readonly fitted: SampleSource;
  /** INT8 as it will be delivered. Changes nothing it is given. */
  quantize(model: Model, ranges: RangeMap): Promise<Model>;
}

/** One kind of repair. */
export interface RepairStep {
  readonly name: string;
  /** Efforts that take it. */
  readonly efforts: readonly RepairEffort[];
  propose(state: RepairState, tools: RepairTools): Promise<RepairProposal>;
}
