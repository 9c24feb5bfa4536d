/** Ranges of activations for static quantization. */
import { basename } from 'node:path';
import {
  type ChosenRange,
  cheapestRange,
  type ObserverName,
  observed,
  observedRange,
} from '../../quantize/observers/index.js';
import type { StatisticsData } from '../../quantize/observers/tensor-statistics.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { CalibrationReport, ObservedRangeReport } from '../../report/types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { type Calibration, calibrateIn, rangeOf } from '../calibrate.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../options.js';
import type { Stages } from '../stages.js';
import type { SampleSplit } from '../workbench/sample-split.js';
import type { CalibrationWork } from './calibration-work.js';
import { confirmRanges } from './confirm-ranges.js';

export interface StaticCalibration {
  readonly ranges: RangeMap;
  readonly report: CalibrationReport | undefined;
  readonly warnings: readonly string[];
}

/** Runs the calibration samples and chooses a range for each tensor. Without samples there are no ranges. */
export async function calibrateStatic(
  work: CalibrationWork,
  options: InContext<QuantizeOptions>,
  split: SampleSplit,
  stages: Stages,
  runtime: LazyRuntime | undefined,
): Promise<StaticCalibration> {
  const { calibration } = split;
  if (!runtime || !calibration || work.observe.length === 0)
    return { ranges: new Map(), report: undefined, warnings: [] };
  // What rounding to FP8 costs is no matter of steps.
  const usual = options.mode === 'fp8' ? 'minmax' : QUANTIZE_DEFAULTS.calibration;
  const wanted = options.calibration ?? usual;
  stages.start('calibrate', calibration.count);
  const found = await calibrateIn(
    await runtime.host(),
    work.model,
    { kind: 'data', ...calibration },
    {
      batch: options.batch ?? QUANTIZE_DEFAULTS.batch,
      observer: wanted === 'auto' ? 'minmax' : wanted,
      statistics: wanted === 'auto',
      tensors: work.observe,
      ...(work.channels ? { channels: work.channels } : {}),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
    },
    stages.context('calibrate'),
  );
  stages.end(`${work.observe.length} tensors, ${found.samples} samples`);
  const source = { source: basename(calibration.path), samples: found.samples };
  const warnings = [...nonFiniteWarnings(found), ...fewSampleWarnings(found)];
  const choices = choicesOf(found, work);
  if (wanted !== 'auto') {
    const chosen = choices(wanted);
    const inBranches = [...found.ranges.keys()].filter((name) => !chosen.has(name)).length;
    const used = chosen.size === 0 ? 'minmax' : wanted;
    return {
      ranges: joined(found, chosen),
      report: { ...source, method: methodWords(used), observer: used, ...tensorReports(found, chosen) },
      warnings: [
        ...warnings,
        ...(wanted === 'minmax' || inBranches === 0
          ? []
          : [`Ranges of ${inBranches} tensors in branches are min-max: only extremes are observed there.`]),
      ],
    };
  }
  const candidates = new Map<Choice, ReadonlyMap<string, ChosenRange>>([
    ['minmax', choices('minmax')],
    ['auto', choices('auto')],
    ['percentile', choices('percentile')],
  ]);
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const confirmed = verify
    ? await confirmRanges(
        [...candidates].map(([name, chosen]) => ({ name, ranges: joined(found, chosen) })),
        work,
        options,
        split,
        stages,
        runtime,
      )
    : undefined;
  const name = confirmed?.chosen ?? 'minmax';
  const chosen = candidates.get(name) ?? choices('minmax');
  return {
    ranges: joined(found, chosen),
    report: {
      ...source,
      method: name === 'auto' ? 'chosen for each tensor' : methodWords(name),
      observer: name,
      ...(confirmed ? { tried: confirmed.tried } : {}),
      ...tensorReports(found, chosen),
    },
    warnings: [
      ...warnings,
      ...(verify ? [] : ['Ranges are min-max: without verification no other choice could be confirmed.']),
    ],
  };
}

type Choice = ObserverName | 'auto';

/** Ranges of all tensors with statistics, by the observer that chooses them. */
function choicesOf(
  { statistics }: Calibration,
  { scheme }: CalibrationWork,
): (choice: Choice) => ReadonlyMap<string, ChosenRange> {
  const seen = [...(statistics ?? [])]
    .filter(([, { chunks }]) => chunks > 0)
    .map(([name, each]) => ({ name, observed: observed(each) }));
  return (choice) =>
    new Map(
      seen.map(({ name, observed: one }) => [
        name,
        choice === 'auto' ? cheapestRange(one, scheme(name)) : observedRange(one, choice, scheme(name)),
      ]),
    );
}

/** The ranges of a calibration with those that were chosen in place of its own. */
function joined({ ranges, statistics }: Calibration, chosen: ReadonlyMap<string, ChosenRange>): RangeMap {
  const all = new Map(ranges);
  for (const [name, range] of chosen) all.set(name, rangeOf(statistics?.get(name) as StatisticsData, range));
  return all;
}

function tensorReports(
  { statistics }: Calibration,
  chosen: ReadonlyMap<string, ChosenRange>,
): Pick<CalibrationReport, 'tensors'> {
  if (chosen.size === 0) return {};
  const tensors = [...chosen].map(([name, { observer, min, max, expectedError }]): ObservedRangeReport => {
    const seen = statistics?.get(name);
    return { name, observer, min, max, seenMin: seen?.min ?? min, seenMax: seen?.max ?? max, expectedError };
  });
  return { tensors };
}

function nonFiniteWarnings({ nonFinite, statistics }: Calibration): string[] {
  return [...nonFinite].map(([name, count]) => {
    const seen = statistics?.get(name);
    if (!seen) return `Tensor "${name}" had NaN or infinite values in ${count} calibration runs.`;
    const parts = [
      ...(seen.nan > 0 ? [`${seen.nan} NaN`] : []),
      ...(seen.infinite > 0 ? [`${seen.infinite} infinite`] : []),
    ];
    return `Tensor "${name}" had ${parts.join(' and ')} values in the calibration samples; its range is that of the others.`;
  });
}

function fewSampleWarnings({ samples }: Calibration): string[] {
  return samples === 1
    ? ['Ranges were measured on one sample: give more, or values that it did not reach are cut off.']
    : [];
}

/** An observer in the words of reports. */
function methodWords(observer: ObserverName | 'auto'): string {
  return observer === 'minmax' ? 'min-max' : observer.replace('-', ' ');
}
