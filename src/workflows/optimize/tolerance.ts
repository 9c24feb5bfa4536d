import type { Tolerance } from '../../evaluate/equality.js';
import type { Model } from '../../ir/model.js';
import { allGraphs, allNodes } from '../../ir/walk.js';
import type { AppliedRewrite } from '../../passes/engine/run-rewrites.js';
import { DataType } from '../../tensor/dtype.js';

/** A tolerance, and what one operation in its type may be off by, of its result. */
interface TypeTolerance extends Tolerance {
  readonly rounding: number;
}

const EXACT: Tolerance = { exact: true, relative: 0, ofLargest: 0, ties: 0 };
const FLOAT: TypeTolerance = { exact: false, relative: 1e-4, ofLargest: 1e-5, ties: 1e-3, rounding: 2 ** -24 };
/** 11 bits of precision: one rounding is 5e-4. */
const HALF: TypeTolerance = { exact: false, relative: 1e-2, ofLargest: 5e-3, ties: 1e-2, rounding: 2 ** -11 };
/** One step of an 8-bit scale, which rounding before it decides. */
const QUANTIZED: TypeTolerance = { exact: false, relative: 1e-2, ofLargest: 2e-2, ties: 2e-2, rounding: 2 ** -24 };

const QUANTIZERS = /^(DynamicQuantizeLinear|QuantizeLinear|QLinear\w+|\w+Integer\w*)$/;

/** However much is reassociated, more than this is no rounding any more. */
const MOST = 5e-2;

/**
 * How far the outputs of a result may be from the original's: not at all after exact changes, else by what rounding in the
 * narrowest type of the model makes of it. Each of the operations in a row that one stands for rounds, so it grows with these.
 * @param inARow arithmetic nodes that were merged into one, at most
 */
export function toleranceOf(model: Model, exact: boolean, inARow = 1): Tolerance {
  if (exact) return EXACT;
  const { rounding, ...tolerance } = typeTolerance(model);
  const grown = Math.min(MOST, inARow * rounding);
  return {
    ...tolerance,
    relative: Math.max(tolerance.relative, grown),
    ofLargest: Math.max(tolerance.ofLargest, grown),
  };
}

function typeTolerance(model: Model): TypeTolerance {
  for (const node of allNodes(model)) if (QUANTIZERS.test(node.opType)) return QUANTIZED;
  for (const graph of allGraphs(model)) {
    for (const { type, tensor } of graph.values.values()) {
      const dataType = tensor?.dataType ?? (type?.kind === 'tensor' ? type.dataType : undefined);
      if (dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) return HALF;
    }
  }
  return FLOAT;
}

const ARITHMETIC: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sum', 'Neg', 'Mean']);

/**
 * The most arithmetic nodes that one node of the result stands for: so many operations in a row became one.
 * @param isRounding whether a pass computes in another order
 */
export function mergedInARow(applied: readonly AppliedRewrite[], isRounding: (pass: string) => boolean): number {
  const merged = new Map<string, number>();
  let most = 1;
  for (const { pass, nodes, into } of applied) {
    if (!into || !ARITHMETIC.has(into.opType) || !isRounding(pass)) continue;
    const labels = new Set(nodes.flatMap(({ label, opType }) => (ARITHMETIC.has(opType) ? [label] : [])));
    let sum = 0;
    for (const label of labels) sum += merged.get(label) ?? 1;
    merged.set(into.label, sum);
    most = Math.max(most, sum);
  }
  return most;
}
