import { ServeOptError } from '../../errors.js';
import type { ComparisonResult, OutputDifference } from '../../evaluate/comparison.js';
import type { Model } from '../../ir/model.js';
import { maskContractions } from '../../passes/prune/mask-contractions.js';
import { zeroUnits } from '../../passes/prune/zero-weights.js';
import { copiedDependencies } from '../../prune/copied-dependencies.js';
import { addProbe, type CutProbe, cutProbes, joinProbes, liftRead, type ProbedValue } from '../../prune/cut-probes.js';
import type { DependencyGroup } from '../../prune/dependency-groups.js';
import type { CutCheckReport } from '../../report/prune-types.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import type { InContext, PruneOptions } from '../options.js';
import type { Stages } from '../stages.js';
import { loadPair } from '../workbench/loaded-pair.js';
import type { StructuredCut } from './structured.js';

/** Less than this is no rounding: 1e-4 of the signal. */
const LEAST_SQNR_DB = 80;
/** The same of squares within the network, whose sums may cancel out later; and of all outputs where halves are rounded. */
const LEAST_INNER_DB = 60;
const LEAST_INNER_DB_OF_HALVES = 30;
const HALVES: ReadonlySet<DataTypeCode> = new Set([DataType.FLOAT16, DataType.BFLOAT16]);

/**
 * Compares a cut model with the same model whose units are set to zero instead: they have to compute the same, in their outputs and in
 * what each layer makes of the units that are left. Where a layer reads zeros alone, behind a ReLU that is never active for one, that says
 * nothing: then numbers are added to what it reads, and both are compared once more.
 * @returns a sentence where that cannot be compared
 * @throws SO9001 where they differ by more than rounding: the cut is wrong then
 */
export async function checkCut(
  cut: StructuredCut,
  source: SampleSource,
  runtime: LazyRuntime,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<CutCheckReport | string> {
  if (options.throughNormalization)
    return 'statistics over axes that are cut change, so the cut cannot be compared with zeros';
  stages.start('check the cut');
  const check = new CutCheck(cut, runtime, { ...options, ...stages.context('check the cut') });
  const first = await check.run(source, []);
  if (typeof first === 'string') {
    stages.end();
    return first;
  }
  const { sqnrDb, samples, dead } = first;
  const again = dead.size > 0 ? await check.run(first.source, check.probesOf(dead)) : undefined;
  const unseen = typeof again === 'object' ? again.dead : dead;
  stages.end(`${samples} samples`);
  const named = (groups: ReadonlySet<DependencyGroup>): string[] => [...groups].map(({ name }) => name);
  return {
    sqnrDb,
    samples,
    ...(dead.size > 0 ? { dead: named(dead) } : {}),
    ...(unseen.size > 0 ? { unseen: named(unseen) } : {}),
  };
}

/** What was seen in one comparison. */
interface CutView {
  readonly sqnrDb: number;
  readonly samples: number;
  /** Groups of which no layer read anything but zeros. */
  readonly dead: ReadonlySet<DependencyGroup>;
  readonly source: SampleSource;
}

class CutCheck {
  readonly #cut: StructuredCut;
  readonly #runtime: LazyRuntime;
  readonly #options: InContext<PruneOptions>;
  readonly #probes: readonly CutProbe[];

  constructor(cut: StructuredCut, runtime: LazyRuntime, options: InContext<PruneOptions>) {
    this.#cut = cut;
    this.#runtime = runtime;
    this.#options = options;
    this.#probes = cutProbes(cut.dependencies, cut.kept);
  }

  probesOf(groups: ReadonlySet<DependencyGroup>): CutProbe[] {
    return this.#probes.filter(({ group }) => groups.has(group));
  }

  /** @param lifted layers that read more than they get */
  async run(source: SampleSource, lifted: readonly CutProbe[]): Promise<CutView | string> {
    const { base, dependencies, removed, kept, model } = this.#cut;
    const [masked, short] = [base.clone(), model.clone()];
    const copied = copiedDependencies(dependencies, base, masked);
    zeroUnits(copied, removed);
    maskContractions(masked, copied, kept);
    for (const probe of lifted) {
      liftRead(masked, probe);
      liftRead(short, probe, kept);
    }
    const outputs = new Map<ProbedValue, string>();
    // ONNX Runtime runs what is added last first: early probes, so that what they look at need not be kept for long.
    for (const { read, made } of [...this.#probes].reverse())
      for (const value of made ? [made, ...read] : read) {
        const name = addProbe(masked, value, kept);
        if (name !== undefined && addProbe(short, value) === name) outputs.set(value, name);
      }
    for (const each of [masked, short]) joinProbes(each, [...new Set(outputs.values())]);
    const compared = await this.#compare(masked, short, source);
    if (typeof compared === 'string') return compared;
    const { result, fitted } = compared;
    const byName = new Map(result.outputs.map((output) => [output.name, output]));
    const own = base.graph.outputs.flatMap(({ name }) => byName.get(name) ?? []);
    const inner = [...outputs.values()].flatMap((name) => byName.get(name) ?? []);
    const sqnrDb = worstOf(own);
    checkEqual(sqnrDb, lifted.length > 0 || hasHalves(base) ? LEAST_INNER_DB : LEAST_SQNR_DB);
    checkEqual(worstOf(inner), hasHalves(base) ? LEAST_INNER_DB_OF_HALVES : LEAST_INNER_DB);
    const isLive = (value: ProbedValue | undefined): boolean | undefined => {
      const rms = byName.get((value && outputs.get(value)) ?? '')?.rmsA;
      return rms === undefined ? undefined : rms > 0;
    };
    const dead = new Set(this.#probes.map(({ group }) => group));
    for (const { group, read, made } of this.#probes) {
      const seen = read.length > 0 ? read.map(isLive) : [isLive(made)];
      // What cannot be looked at within is seen as far as the outputs are.
      if (seen.every((each) => each ?? own.some(({ rmsA = 1 }) => rmsA > 0))) dead.delete(group);
    }
    return { sqnrDb, samples: result.samples, dead, source: fitted };
  }

  async #compare(
    masked: Model,
    short: Model,
    source: SampleSource,
  ): Promise<{ readonly result: ComparisonResult; readonly fitted: SampleSource } | string> {
    return withWorkFolder(async (folder) => {
      const links = new Map();
      const a = await writeRunnable(masked, folder, { name: 'masked.onnx', links });
      const b = await writeRunnable(short, folder, { name: 'cut.onnx', links });
      const pair = await loadPair(await this.#runtime.host(), this.#cut.base, { a, b }, this.#options);
      const fitted = await pair.fit(source);
      return typeof fitted === 'string' ? fitted : { result: await pair.compare(fitted), fitted };
    });
  }
}

function hasHalves({ graph }: Model): boolean {
  for (const { type } of graph.values.values()) if (type?.kind === 'tensor' && HALVES.has(type.dataType)) return true;
  return false;
}

function worstOf(outputs: readonly OutputDifference[]): number {
  const known = outputs.flatMap(({ sqnrDb }) => (sqnrDb === undefined || Number.isNaN(sqnrDb) ? [] : [sqnrDb]));
  return Math.min(...known, Number.POSITIVE_INFINITY);
}

function checkEqual(sqnrDb: number, least: number): void {
  if (sqnrDb >= least) return;
  throw new ServeOptError('SO9001', 'The cut model differs from the original with the same units set to zero', {
    why: `${sqnrDb.toFixed(1)} dB, ${least} dB were expected`,
    hint: 'please report the model; --exclude LAYER keeps layers whole',
  });
}
