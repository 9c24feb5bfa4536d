import type { AllowedOperators, OptimizeLevel, OptimizeStage } from '../../passes/levels.js';
import type { Numerics, PassGroup } from '../../passes/pass.js';

/** What is known of a pass. */
export interface PassFacts {
  readonly name: string;
  readonly summary: string;
  readonly group: PassGroup;
  readonly numerics: Numerics;
  readonly scope: 'main-graph' | 'all-graphs';
  /** Versions of ai.onnx it works in; null is open. */
  readonly opset: readonly [number, number | null];
  /** Its place in `optimize`; absent for passes of other commands. */
  readonly optimize?: {
    readonly stage: OptimizeStage;
    /** The levels that have it; none for a pass that runs only where it is asked for by name. */
    readonly levels: readonly OptimizeLevel[];
    readonly operators: AllowedOperators;
  };
  readonly options: readonly {
    readonly name: string;
    readonly description: string;
    readonly default: unknown;
    readonly choices?: readonly string[];
  }[];
  /** Equation, conditions and reference; only where one pass is asked for. */
  readonly description?: string;
}
