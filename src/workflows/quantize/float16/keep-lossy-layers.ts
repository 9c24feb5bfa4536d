import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { allNodes } from '../../../ir/walk.js';
import { nodeKey } from '../../../passes/quantize/float16/plan.js';
import { newFloat16Report } from '../../../passes/quantize/float16/report.js';
import { formatRange } from '../../../passes/quantize/float16/words.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import type { QuantizeOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import { randomOutputs } from '../../workbench/random-outputs.js';
import type { Converted } from '../converted.js';
import { convertFrom, halfMode, ROUNDING_ONLY_DB } from './convert-float16.js';
import { withEmulatedTrials, worstSqnrDb } from './emulated.js';
import { findLossyLayers } from './lossy-layers.js';

/** Layers are sought until the samples at hand keep so much more than rounding leaves, in dB: others may lose more. */
const SOUGHT_MARGIN_DB = 5;
/** Models that are converted, written and run to find the layers that lose. */
const MOST_TRIALS = 60;
/** Time after which no more are tried, in ms. */
const SEARCH_MS = 90_000;
/** Bytes of weights that all trials together may write. */
const MOST_TRIAL_BYTES = 16 * 2 ** 30;
/** The smallest normal FLOAT16: below it, bits are lost one by one. */
const SMALLEST_NORMAL = 2 ** -14;

/** Layers by name, each with its range. */
export interface LossyNames {
  /** Each loses much by itself. */
  readonly single: readonly string[];
  /** None loses much by itself: half of what is lost has come after them. */
  readonly spread: readonly string[];
}

/** What the search for lossy layers came to. */
export interface Repaired {
  /** Undefined where no layer was found that makes it better. */
  readonly converted: Converted | undefined;
  /** Layers that lose most and what was measured of them, for a warning where the result is still not good. */
  readonly lossyLayers: LossyNames;
}

/**
 * Finds the fewest layers that have to stay in FLOAT so that the rest loses no more than rounding in half precision, on
 * calibration samples or synthetic ones, and converts without them.
 */
export async function keepLossyLayers(
  {
    path,
    model,
    options,
    stages,
  }: {
    readonly path: string;
    readonly model: Model;
    readonly options: QuantizeOptions;
    readonly stages: Stages;
  },
  converted: Converted,
  source: SampleSource,
  runtime: RuntimeHost,
): Promise<Repaired> {
  const base = converted.float16;
  if (!base) return { converted: undefined, lossyLayers: { single: [], spread: [] } };
  const { prepared, ranges, kept: keptAnyway } = base;
  stages.start('search');
  const report = newFloat16Report();
  const first = prepared.copy();
  await first.toFloat16(options, { ranges, kept: keptAnyway, report });
  const names = new Set(report.nodes);
  const nodes = new Map([...allNodes(prepared.model)].map((node) => [nodeKey(node), node]));
  const random = randomOutputs(model);
  const end = performance.now() + SEARCH_MS;
  const found = await withEmulatedTrials(runtime, { path, source, inputs: inputSpecs(model) }, options, (trials) =>
    findLossyLayers({
      layers: report.nodes,
      readers: (name) => readersOf(nodes.get(name), names),
      suspects: report.nodes.filter((name) => isTiny(name, ranges)),
      measure: async (wide) => {
        const trial = prepared.copy();
        const kept = new Map([...keptAnyway, ...[...wide].map((name): [string, string] => [name, 'tried'])]);
        await trial.toFloat16(options, { ranges, kept });
        const outputs = await trials.measure(trial.model);
        return worstSqnrDb(outputs.filter(({ name }) => !random.has(name)));
      },
      targetDb: ROUNDING_ONLY_DB[halfMode(options)] + SOUGHT_MARGIN_DB,
      mayGoOn: () => performance.now() < end,
      maxTrials: Math.min(MOST_TRIALS, Math.max(8, Math.floor(MOST_TRIAL_BYTES / (1 + constantBytes(first.model))))),
    }),
  );
  stages.end(`${found.layers.length} layers, ${found.trials} trials`);
  const kept = new Map(
    found.layers.map(({ name, lossDb, keptDb }) => [
      name,
      `${withRange(name, ranges)} loses more than rounding: ${keepsPhrase(lossDb)} with it in float16, ${formatSqnr(keptDb)} with it in FP32`,
    ]),
  );
  const lossyLayers = {
    single: found.layers.map(({ name }) => withRange(name, ranges)),
    spread: found.spread.map((name) => withRange(name, ranges)),
  };
  if (kept.size === 0) return { converted: undefined, lossyLayers };
  const again = await convertFrom(base, options, stages, kept);
  const { warnings, calibration } = converted;
  return { converted: { ...again, warnings, ...(calibration ? { calibration } : {}) }, lossyLayers };
}

function withRange(name: string, ranges: RangeMap): string {
  const range = ranges.get(name);
  return range === undefined ? `"${name}"` : `"${name}" (from ${formatRange(range)})`;
}

function keepsPhrase(sqnrDb: number): string {
  return sqnrDb === Number.NEGATIVE_INFINITY
    ? 'an output has NaN or infinities'
    : `the outputs have an SQNR of ${formatSqnr(sqnrDb)}`;
}

function constantBytes(model: Model): number {
  let bytes = 0;
  for (const { tensor } of model.graph.initializers) bytes += tensor?.byteLength ?? 0;
  return bytes;
}

/** Converted nodes that read what a node makes. */
function readersOf(node: Node | undefined, converted: ReadonlySet<string>): string[] {
  const names = new Set<string>();
  for (const output of node?.outputs ?? []) {
    for (const use of output?.uses ?? []) {
      const name = nodeKey(use.node);
      if (converted.has(name)) names.add(name);
    }
  }
  return [...names];
}

/** All that was measured of what a node makes lies below the normal numbers of FLOAT16. */
function isTiny(name: string, ranges: RangeMap): boolean {
  const range = ranges.get(name);
  if (!range) return false;
  const largest = Math.max(-range.min, range.max);
  return largest > 0 && largest < SMALLEST_NORMAL;
}
