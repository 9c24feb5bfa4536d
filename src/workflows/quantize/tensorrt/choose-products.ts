/** Which products of two activations may be quantized for TensorRT: those that cost next to nothing, as measured. */
import type { OutputDifference } from '../../../evaluate/comparison.js';
import type { Model } from '../../../ir/model.js';
import { nodeKey } from '../../../passes/quantize/float16/plan.js';
import { type ProductUnit, productUnits } from '../../../quantize/activation-products.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import type { ExecutionOptions } from '../../options.js';
import { withContrasts } from '../../workbench/contrasts.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { randomOutputs } from '../../workbench/random-outputs.js';
import { worstSqnrDb } from '../float16/emulated.js';

/** What all products together may take from the worst output's signal-to-noise ratio, in dB: the noise grows by a quarter at most. */
export const PRODUCTS_MAY_COST_DB = 1;
/** Samples that candidates are tried on. */
const TRIED_SAMPLES = 16;
const REFERENCE_MS = 20_000;
/** Units that are tried one by one; more are joined in graph order. */
const MOST_TRIED = 24;

export interface ProductTrials {
  readonly path: string;
  readonly model: Model;
  readonly source: SampleSource;
  readonly options: ExecutionOptions;
  /** Quantizes a copy, but for these products. */
  readonly quantize: (kept: ReadonlyMap<string, string>) => Promise<Model>;
}

/** @returns reasons why products stay in float, by first output; empty where all may be quantized */
export async function chooseProducts(
  runtime: RuntimeHost,
  prepared: Model,
  { path, model, source, options, quantize }: ProductTrials,
): Promise<ReadonlyMap<string, string>> {
  const units = joined(productUnits(prepared));
  if (units.length === 0) return new Map();
  const reference = {
    path,
    source,
    inputs: inputSpecs(model),
    samples: TRIED_SAMPLES,
    maxMs: REFERENCE_MS,
    session: sessionOptions(options),
  };
  // As the result is checked: nothing may fuse what pairs stand for.
  const session = withOptions(SESSIONS.unoptimized, sessionOptions(options));
  const random = randomOutputs(model);
  return withContrasts(runtime, reference, async (contrasts) => {
    const sqnrWithout = async (kept: readonly ProductUnit[]): Promise<number> => {
      const candidate = await quantize(keptReasons(kept, 'tried'));
      const outputs = await contrasts.contrast(candidate, session);
      return worst(outputs, random);
    };
    const none = await sqnrWithout(units);
    const all = await sqnrWithout([]);
    const least = none - PRODUCTS_MAY_COST_DB;
    if (all >= least) return new Map();
    const kept = units.length === 1 ? units : await costliest(units, least, sqnrWithout);
    const cost = `quantizing ${units.length === 1 ? 'it' : 'all of them'} takes the SQNR of the outputs from ${formatSqnr(none)} to ${formatSqnr(all)}`;
    return keptReasons(kept, `it multiplies two activations: ${cost}`);
  });
}

/** The fewest units, costliest first, that have to stay in float for the outputs to keep `least`. */
async function costliest(
  units: readonly ProductUnit[],
  least: number,
  sqnrWithout: (kept: readonly ProductUnit[]) => Promise<number>,
): Promise<readonly ProductUnit[]> {
  const alone: { readonly unit: ProductUnit; readonly sqnrDb: number }[] = [];
  for (const unit of units) alone.push({ unit, sqnrDb: await sqnrWithout(units.filter((other) => other !== unit)) });
  const order = alone.sort((a, b) => a.sqnrDb - b.sqnrDb).map(({ unit }) => unit);
  let [fails, holds] = [0, order.length];
  while (holds - fails > 1) {
    const middle = (holds + fails) >> 1;
    if ((await sqnrWithout(order.slice(0, middle))) >= least) holds = middle;
    else fails = middle;
  }
  return order.slice(0, holds);
}

function joined(units: readonly ProductUnit[]): readonly ProductUnit[] {
  const size = Math.ceil(units.length / MOST_TRIED);
  if (size <= 1) return units;
  return Array.from({ length: Math.ceil(units.length / size) }, (_, at) => ({
    nodes: units.slice(at * size, (at + 1) * size).flatMap(({ nodes }) => nodes),
  }));
}

function keptReasons(units: readonly ProductUnit[], reason: string): ReadonlyMap<string, string> {
  return new Map(units.flatMap(({ nodes }) => nodes.map((node): [string, string] => [nodeKey(node), reason])));
}

function worst(outputs: readonly OutputDifference[], random: ReadonlySet<string>): number {
  return worstSqnrDb(outputs.filter(({ name }) => !random.has(name)));
}
