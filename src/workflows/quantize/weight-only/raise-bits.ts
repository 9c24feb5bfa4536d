/** Gives the most sensitive weights 8 bits, as far as the file stays within a size. */
import { ServeOptError } from '../../../errors.js';
import { writtenSize } from '../../../ir/write-model.js';
import type { WeightUnit } from '../../../passes/quantize/weight-only/weight-plan.js';
import { formatSqnr } from '../../../report/comparison-words.js';
import { formatBytes, plural } from '../../../report/format.js';
import type { MixedBitsReport, RaisedWeightReport } from '../../../report/weight-only-types.js';
import type { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import type { SampleSplit } from '../../workbench/sample-split.js';
import type { ConversionRun } from '../conversion-run.js';
import type { LayerRanking } from '../rank-layers.js';
import { rankWeights } from './rank-weights.js';
import type { WeightedForm } from './weighted-form.js';

/** A form, and what was raised. */
export interface RaisedForm {
  readonly form: WeightedForm;
  /** Absent where no largest size was set. */
  readonly report: MixedBitsReport | undefined;
}

/**
 * Starts with all weights at the bits asked for, and raises those to 8 bits whose errors cost the outputs most for what they take, while the
 * file fits. Weights are ranked by what the outputs lose when each alone is quantized.
 * @throws SO7001 where the file does not fit with all at the bits asked for
 */
export async function raiseBits(
  run: ConversionRun,
  asked: WeightedForm,
  split: SampleSplit,
  runtime: LazyRuntime | undefined,
): Promise<RaisedForm> {
  const { maxSize } = run.options;
  if (maxSize === undefined || asked.units.length === 0) return { form: asked, report: undefined };
  const sizeOf = (form: WeightedForm): Promise<number> => sizeWithLevel(form, run.outputPath);
  let low = asked;
  let lowSizeBytes = await sizeOf(low);
  const hasHead = asked.choices.wideHead && asked.choices.bits < 8;
  if (lowSizeBytes > maxSize && hasHead) {
    low = await remade(run, () => asked.with({ wideHead: false }), 'the layer of the scores has fewer bits');
    lowSizeBytes = await sizeOf(low);
  }
  if (lowSizeBytes > maxSize) throw tooLarge(lowSizeBytes, maxSize, asked);
  const headLowered = low === asked ? {} : ({ headLowered: true } as const);
  const candidates = low.units.filter(
    ({ key, format }) => format.bits < 8 && typeof low.made.made.get(key) === 'object',
  );
  const shared = { maxSizeBytes: maxSize, lowSizeBytes, candidates: candidates.length, ...headLowered };
  const none = (reason: string): RaisedForm => ({
    form: low,
    report: { ...shared, sizeBytes: lowSizeBytes, raised: [], reason },
  });
  if (candidates.length === 0) return none('all weights have 8 bits');
  const smallest = Math.min(...candidates.map(addedBytes));
  if (lowSizeBytes + smallest > maxSize) return none('the file has no room for one more weight of 8 bits');
  const ranking = await rankWeights(run, low, candidates, split, runtime);
  if (typeof ranking === 'string') return none(`weights were not ranked: ${ranking}`);
  const order = byGain(candidates, ranking);
  let chosen = fitting(order, maxSize - lowSizeBytes);
  for (;;) {
    const wider = new Map(chosen.map(({ unit, sqnrDb }) => [unit.key, raisedBecause(sqnrDb, low)]));
    const what = `${plural(chosen.length, 'weight')} raised to 8 bits`;
    const form = chosen.length === 0 ? low : await remade(run, () => low.with({ wider }), what);
    const sizeBytes = await sizeOf(form);
    if (sizeBytes > maxSize) {
      chosen = chosen.slice(0, -1);
      continue;
    }
    const raised = chosen.map(
      ({ unit, sqnrDb, added }): RaisedWeightReport => ({ name: unit.value.name, sqnrDb, addedBytes: added }),
    );
    return { form, report: { ...shared, sizeBytes, samples: ranking.samples, raised } };
  }
}

/** The stage in which some weights get other bits. */
async function remade(
  { stages }: ConversionRun,
  make: () => Promise<WeightedForm>,
  what: string,
): Promise<WeightedForm> {
  stages.start('quantize');
  const form = await make();
  stages.end(what);
  return form;
}

/** Bytes of the file, with an accuracy_level where there may be one. */
async function sizeWithLevel(form: WeightedForm, outputPath: string): Promise<number> {
  return writtenSize(await form.model({ accuracyLevel: 4 }), outputPath);
}

function tooLarge(sizeBytes: number, maxSize: number, { choices }: WeightedForm): ServeOptError {
  const { bits, block, operators } = choices;
  const smaller = [
    ...(bits > 4 ? ['--mode int4'] : []),
    ...(bits > 2 && operators === 'ort' ? ['--mode int2'] : []),
    ...(block < 128 ? ['--block 128'] : []),
  ];
  return new ServeOptError(
    'SO7001',
    `The result is not written: with all weights at ${bits} bits it has ${formatBytes(sizeBytes)}, more than --max-size ${formatBytes(maxSize)}`,
    {
      ...(bits === 8 ? {} : { why: 'weights get 8 bits only where the file has room for them' }),
      hint: smaller.length > 0 ? `try ${smaller.join(' or ')}, or a larger --max-size` : 'set a larger --max-size',
    },
  );
}

function raisedBecause(sqnrDb: number, { choices }: WeightedForm): string {
  return `raised within --max-size: alone at ${choices.bits} bits it leaves the outputs an SQNR of ${formatSqnr(sqnrDb)}`;
}

/** What 8 bits take beside the bits of a unit. */
function addedBytes({ sources, format }: WeightUnit): number {
  const weights = sources.reduce((sum, { outputs, inputs }) => sum + outputs * inputs, 0);
  return Math.ceil((weights * (8 - format.bits)) / 8);
}

interface RankedUnit {
  readonly unit: WeightUnit;
  readonly sqnrDb: number;
  readonly added: number;
}

/** Units by the noise that goes for each byte. */
function byGain(units: readonly WeightUnit[], { layers }: LayerRanking): RankedUnit[] {
  const known = new Map(layers.map(({ key, sqnrDb }) => [key, sqnrDb]));
  const gain = ({ sqnrDb, added }: RankedUnit): number => 10 ** (-sqnrDb / 10) / added;
  return units
    .map((unit) => ({ unit, sqnrDb: known.get(unit.key) ?? Number.POSITIVE_INFINITY, added: addedBytes(unit) }))
    .sort((a, b) => (gain(a) === gain(b) ? 0 : gain(b) - gain(a)));
}

function fitting(order: readonly RankedUnit[], room: number): RankedUnit[] {
  let left = room;
  return order.filter(({ added }) => {
    if (added > left) return false;
    left -= added;
    return true;
  });
}
