import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import { allNodes } from '../../../ir/walk.js';
import { nodeKey } from '../../../passes/quantize/float16/plan.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { SessionOptions } from '../../../runtime/types.js';
import type { Stages } from '../../stages.js';

/** How a FLOAT16 model is brought into ONNX Runtime where it dies of loading it as it is. */
export interface LoadFallback {
  /** Why nodes of the prepared model stay in FLOAT, by their first outputs. */
  readonly kept?: (prepared: Model) => ReadonlyMap<string, string>;
  /** Options of the session of the result. */
  readonly session?: SessionOptions;
  /** What a user has to know of it. */
  readonly warning?: string;
}

const LAYOUT_STEP = 'NchwcTransformer';

/**
 * ONNX Runtime 1.30 ends with a fault in its NCHWc step where a FLOAT16 Transpose of the outer axes feeds a MatMul and
 * its input comes from a Cast to FLOAT16 (also one of its own, after an operator that it has in FLOAT only). In FLOAT the
 * same nodes load.
 */
const FALLBACKS: readonly LoadFallback[] = [
  { kept: transposesBeforeMatMul },
  {
    session: { config: { 'optimization.disable_specified_optimizers': LAYOUT_STEP } },
    warning: `ONNX Runtime crashes while loading the result with all optimizations; it was loaded without ${LAYOUT_STEP}. To load it, set the session option optimization.disable_specified_optimizers to ${LAYOUT_STEP}, or the optimization level to extended.`,
  },
];

/** What is tried next where ONNX Runtime dies of a FLOAT16 model, one fallback after the other. */
export class LoadFallbacks {
  readonly #runtime: LazyRuntime;
  readonly #stages: Stages;
  #tried = 0;
  #death: unknown;

  constructor(runtime: LazyRuntime, stages: Stages) {
    this.#runtime = runtime;
    this.#stages = stages;
  }

  /**
   * The next fallback after a death of the ONNX Runtime process.
   * @throws the error itself where it is none; the first death where nothing is left to try
   */
  async after(error: unknown): Promise<LoadFallback> {
    if (!(error instanceof ServeOptError) || error.code !== 'SO5003') throw error;
    this.#death ??= error;
    this.#stages.end('ONNX Runtime crashed');
    // Sessions are gone with the process; the next attempt starts another one.
    await this.#runtime.close();
    const next = FALLBACKS[this.#tried++];
    if (!next) throw this.#death;
    return next;
  }
}

function transposesBeforeMatMul(prepared: Model): ReadonlyMap<string, string> {
  const kept = new Map<string, string>();
  for (const node of allNodes(prepared)) {
    if (!node.is('Transpose')) continue;
    const feeds = [...node.output().uses].some((use) => use.node.is('MatMul'));
    if (feeds) kept.set(nodeKey(node), 'ONNX Runtime crashes while loading it in float16 before a MatMul');
  }
  return kept;
}
