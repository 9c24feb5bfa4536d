import type { LatencyComparison } from '../../../bench/results.js';
import { writtenSize } from '../../../ir/write-model.js';
import { formatNumber, plural } from '../../../report/format.js';
import { latencyVerdict, ratioInterval } from '../../../report/latency-words.js';
import type { AlternativeReport } from '../../../report/search-types.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import { CandidateFiles } from '../../workbench/candidate-files.js';
import { Failure } from '../../workbench/failure.js';
import type { QuantizeWork } from '../before-work.js';
import type { QuantizeCandidate } from '../quantize-candidate.js';
import { type FormClock, type FormTime, isUndecided, seemsSlower } from './form-times.js';
import { mixedBySpeed } from './mixed-by-speed.js';
import { convertAs, settleAccuracy } from './settle-accuracy.js';

/** Time after which no other form is tried, in ms: what was found by then is delivered. */
const MOST_MS = 60_000;
/** How often layers are put back by a profile: each time they are fewer that convert for each other. */
const MIXED_ROUNDS = 2;

/** What became of a result that was timed beside the original. */
export type SpeedOutcome =
  /** It stands; with why, where it seemed slower and that was not confirmed. */
  | { readonly latency: LatencyComparison; readonly note?: string; readonly next?: undefined }
  /** It is slower beyond doubt: this is to be written and checked instead. */
  | { readonly next: QuantizeCandidate };

/** What is timed, and how. */
export interface SpeedTrial {
  readonly candidate: QuantizeCandidate;
  /** The candidate as a file. */
  readonly path: string;
  readonly source: SampleSource;
  /** Times it beside the original for the first time. */
  measure(): Promise<LatencyComparison>;
}

/** A form that is not slower. */
interface Form {
  readonly made: QuantizeCandidate;
  readonly form: AlternativeReport['form'];
  readonly latency: LatencyComparison;
  readonly bytes: number;
}

/**
 * Times a result beside the original. Where it is slower beyond doubt, other forms are made and timed: some layers in FP32, dynamic
 * INT8, FP16. The first that is faster than the original is to be delivered, else the smallest that is not slower, else the original.
 * @param now the time in ms, for the limit of all of it
 */
export async function keepSpeed(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  { candidate, path, source, measure }: SpeedTrial,
  clock: FormClock,
  now: () => number = () => performance.now(),
): Promise<SpeedOutcome> {
  const { stages } = run;
  const begun = now();
  const first = await clock.first(path, measure);
  if (!seemsSlower(first) && !isUndecided(first)) return { latency: first };
  stages.start('compete');
  const found = await clock.time(path, first);
  if (found instanceof Failure) {
    stages.end('not measured again');
    return { latency: first };
  }
  if (!found.slower) {
    stages.end(found.doubtful ? 'not confirmed to be slower' : undefined);
    return { latency: found.latency, ...(found.doubtful ? { note: doubtNote(found) } : {}) };
  }
  stages.end('slower than the original');
  const tried: AlternativeReport[] = [
    { form: formOf(candidate), ...ratioOf(found.latency), outcome: 'slower', why: 'slower than the original' },
  ];
  const best = await withWorkFolder(async (folder) => {
    const files = new CandidateFiles(folder);
    const fit: Form[] = [];
    for (const { form, make } of otherForms(run, work, candidate, files, source)) {
      // More layers in FP32 are for where fewer do not do.
      if (fit.some((each) => each.form === form)) continue;
      if (now() - begun > MOST_MS) {
        tried.push({ form, outcome: 'rejected', why: `not tried: ${MOST_MS / 1000} s were used up` });
        continue;
      }
      stages.start(`try ${form}`);
      const made = await make();
      stages.end(made ? undefined : 'nothing to try');
      if (!made) continue;
      const rejected = whyRejected(made, candidate);
      if (rejected !== undefined) {
        tried.push({ form, outcome: 'rejected', why: rejected });
        continue;
      }
      stages.start('compete');
      const time = await clock.time(await files.write(made.model));
      stages.end();
      if (time instanceof Failure) tried.push({ form, outcome: 'rejected', why: time.reason });
      else if (time.slower)
        tried.push({ form, ...ratioOf(time.latency), outcome: 'slower', why: 'slower than the original' });
      else {
        fit.push({ made, form, latency: time.latency, bytes: writtenSize(made.model, run.outputPath) });
        if (latencyVerdict(time.latency) === 'faster') break;
      }
    }
    const chosen = bestForm(fit);
    for (const { form, latency } of fit.filter((each) => each !== chosen))
      tried.push({ form, ...ratioOf(latency), outcome: 'rejected', why: 'another form is better' });
    return chosen;
  });
  if (!best) return { next: unchanged(run, candidate, tried) };
  const { made, form, latency } = best;
  const why =
    latencyVerdict(latency) === 'faster' ? 'faster than the original' : 'the smallest form that is not slower';
  const delivered: AlternativeReport = { form, ...ratioOf(latency), outcome: 'delivered', why };
  return { next: { ...made, latency, alternatives: [...tried, delivered] } };
}

/** The one that is faster than the original, else the smallest. */
function bestForm(forms: readonly Form[]): Form | undefined {
  const faster = forms.find(({ latency }) => latencyVerdict(latency) === 'faster');
  if (faster) return faster;
  return forms.reduce<Form | undefined>((best, form) => (best && best.bytes <= form.bytes ? best : form), undefined);
}

/** Other forms, in the order in which they are preferred. A mode that was asked for is kept to. */
function* otherForms(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  files: CandidateFiles,
  source: SampleSource,
): Generator<{
  readonly form: AlternativeReport['form'];
  readonly make: () => Promise<QuantizeCandidate | undefined>;
}> {
  let mixed: QuantizeCandidate | undefined = candidate;
  for (let round = 0; round < MIXED_ROUNDS; round++)
    yield {
      form: 'mixed',
      make: async () => {
        mixed = mixed && (await mixedBySpeed(run, mixed, files, source));
        return mixed;
      },
    };
  if ((run.options.mode ?? QUANTIZE_DEFAULTS.mode) !== 'auto') return;
  if (candidate.done === 'static')
    yield {
      form: 'dynamic',
      make: async () => {
        const dynamic = await convertAs(run, work, 'dynamic');
        return dynamic && settleAccuracy(run, work, dynamic);
      },
    };
  yield { form: 'fp16', make: () => convertAs(run, work, 'fp16') };
}

function formOf({ done, search }: QuantizeCandidate): AlternativeReport['form'] {
  return done === 'static' && (search?.kept ?? 0) > 0 ? 'mixed' : done;
}

/** Undefined where nothing speaks against it: what the first form did not keep either is no reason. */
function whyRejected(made: QuantizeCandidate, first: QuantizeCandidate): string | undefined {
  if (made.done === 'none') return made.tooLarge ?? 'it quantizes nothing';
  return made.search?.met === false && first.search?.met !== false ? 'it does not keep the accuracy' : undefined;
}

function unchanged(
  { model }: ModelRun<QuantizeOptions>,
  candidate: QuantizeCandidate,
  tried: readonly AlternativeReport[],
): QuantizeCandidate {
  const tooLarge =
    'No quantized form is as fast as the original on this machine, so the output is the unchanged model. --allow-slower delivers the INT8 model.';
  const original: AlternativeReport = { form: 'none', outcome: 'delivered', why: 'every other form is slower here' };
  return { ...candidate, model, done: 'none', tooLarge, alternatives: [...tried, original] };
}

function doubtNote({ latency }: FormTime): string {
  const { ratio, ratioLow, ratioHigh, runs } = latency;
  return `The result took ${formatNumber(ratio, 3)}× the time of the original${ratioInterval(ratioLow, ratioHigh)} in ${plural(runs, 'run')} in turns, which is within the noise of this machine: it is kept. Time both with bench where nothing else runs.`;
}

function ratioOf({ ratio, ratioLow, ratioHigh }: LatencyComparison) {
  return {
    ratio,
    ...(ratioLow === undefined ? {} : { ratioLow }),
    ...(ratioHigh === undefined ? {} : { ratioHigh }),
  };
}
