import { basename } from 'node:path';
import type { RegressionReport } from '../../bench/results.js';
import type { Scenario } from '../../bench/scenario.js';
import { ServeOptError } from '../../errors.js';
import { BudgetGates } from '../../gates/budget-gates.js';
import { readModel } from '../../ir/read-model.js';
import type { BenchReport } from '../../report/bench-types.js';
import { plural } from '../../report/format.js';
import type { EnvironmentReport } from '../../runtime/environment.js';
import { readEnvironment } from '../../runtime/environment.js';
import { checkWorkFolder } from '../../runtime/work-folder.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { withDecoderReading } from '../decoder-reading.js';
import { describeReading } from '../describe-reading.js';
import { memoryLimit } from '../memory.js';
import { BENCH_DEFAULTS, type BenchOptions, type InContext, type WorkflowContext } from '../options.js';
import { checkOptions } from '../preflight/check-options.js';
import { checkDataPaths } from '../preflight/data.js';
import { checkModel } from '../preflight/model.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { Baseline } from './baseline.js';
import { axesOf, checkBeforeWork } from './before-work.js';
import { ConfigurationRun, type RunContext } from './configuration-run.js';
import { benchReport } from './describe.js';
import { measureAll } from './measure-all.js';
import { type BenchModel, type Configuration, planConfigurations } from './plan.js';
import { Preparations } from './preparations.js';

/** What was found before a signal or the end. */
interface Progress {
  readonly runs: ConfigurationRun[];
  readonly gates: BudgetGates;
  readonly regressions: RegressionReport[];
  readonly warnings: string[];
  readonly notes: string[];
  readonly environment: EnvironmentReport;
}

/**
 * Measures models in every combination of what was asked for, judges budgets and compares with a baseline. After a signal it
 * gives back what was measured by then, marked as interrupted.
 * @throws SO1006, SO4002 for what the models do not take, SO5005 for an execution provider that is not there, SO4007 for a
 *   baseline that cannot be used, and whatever kept the only configuration from being measured
 */
export async function benchModels(
  paths: readonly string[],
  given: BenchOptions = {},
  context: WorkflowContext = {},
): Promise<BenchReport> {
  const options: InContext<BenchOptions> = withDecoderReading({ ...given, ...context }, ...paths);
  if (paths.length === 0) throw new ServeOptError('SO1001', 'No model to measure', { hint: 'give a path' });
  const ignored = checkOptions('bench', options);
  checkDataPaths(options.dataPath);
  const scenario = scenarioOf(options);
  const stages = new Stages(options);
  const hashes = new FileHashes();
  const models: BenchModel[] = [];
  const inputs = new WatchedInputs(options.dataPath);
  try {
    stages.start('read');
    for (const path of paths) models.push(await openModel(path, options));
    const baseline =
      options.baselinePath === undefined ? undefined : await Baseline.open(options.baselinePath, options);
    try {
      const sources = [...models.map(({ model }) => model.source), baseline?.model?.source];
      const dataFiles = sources.flatMap((source) => source?.externalPaths() ?? []);
      const others = [options.baselinePath, options.dataPath].filter((each) => each !== undefined);
      options.onFiles?.({ reads: [...paths, ...others, ...dataFiles], writes: [] });
      // Profiles are written there, which also tell where the nodes ran.
      if (options.profile || options.executionProviders?.some((each) => each !== 'cpu')) await checkWorkFolder();
      baseline?.check(models);
      for (const { model } of models) inputs.add(model);
      if (baseline?.model) inputs.add(baseline.model);
      const { providers, notes } = await checkBeforeWork(models, options);
      const hashed: BenchModel[] = [];
      for (const each of models) {
        const report = await hashes.model(each.path, each.model.source?.externalPaths() ?? []);
        hashed.push({ ...each, report });
      }
      stages.end();
      const planned = planConfigurations({ ...axesOf(options), models: hashed, providers });
      return await inputs.during(options.signal, async () => {
        const found = { notes, warnings: [...ignored, ...models.flatMap(({ invalid }) => invalid ?? [])] };
        const report = await benchOpened(planned, found, baseline, scenario, options, stages);
        // A configuration that could not be measured to its end says so itself, and what was measured before is not lost.
        const whole = report.configurations.every(({ error }) => error === undefined);
        if (whole && !report.interrupted) inputs.check();
        return report;
      });
    } finally {
      baseline?.close();
    }
  } finally {
    for (const { model } of models) model.source?.close();
    await hashes.close();
  }
}

/** A model of which everything is known but its hash, which takes as long as reading the file. */
async function openModel(path: string, options: BenchOptions): Promise<BenchModel> {
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  try {
    const invalid = checkModel(model, options);
    const report = { name: basename(path), sizeBytes: model.source?.sizeBytes ?? 0 };
    return { path, model, inputs: inputSpecs(model), report, invalid };
  } catch (error) {
    model.source?.close();
    throw error;
  }
}

async function benchOpened(
  planned: readonly Configuration[],
  { notes, warnings }: { readonly notes: readonly string[]; readonly warnings: readonly string[] },
  baseline: Baseline | undefined,
  scenario: Scenario,
  options: InContext<BenchOptions>,
  stages: Stages,
): Promise<BenchReport> {
  stages.start('prepare');
  const environment = await readEnvironment();
  const found: Progress = {
    runs: [],
    gates: new BudgetGates(options.budgets ?? [], scenario, options.processes ?? BENCH_DEFAULTS.processes),
    regressions: [],
    warnings: [...warnings, ...oversubscribed(planned, scenario, environment)],
    notes: [...notes, ...describeReading(options.reading, planned[0]?.inputs ?? []).notes],
    environment,
  };
  const streams = scenario.kind === 'multi-stream' ? scenario.streams : 1;
  const opened = new Set(planned.map(({ model }) => model.model));
  const memoryBytes = memoryLimit(options, [...opened], streams);
  const preparations = preparationsOf(scenario, memoryBytes, options);
  let interrupted = false;
  try {
    await prepareAll(preparations, planned, { scenario, memoryBytes }, options, found);
    stages.end(planned.length === 1 ? undefined : `${planned.length} configurations`);
    await measureAll(found.runs, found.gates, options, stages);
    if (baseline) {
      stages.start('compare');
      const candidates = { ...found, onnxRuntimeVersion: preparations.onnxRuntimeVersion };
      for await (const each of baseline.judge(candidates, scenario, options, stages)) found.regressions.push(each);
      stages.end();
    }
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    interrupted = true;
    // Budgets are judged on what there is.
    for (const run of found.runs) found.gates.judge(run, true);
  }
  const [first] = found.runs;
  const nothing = found.runs.every(({ segments }) => segments.length === 0);
  if (!interrupted && nothing && first?.error) throw first.error;
  const { onnxRuntimeVersion } = preparations;
  return benchReport({ ...found, onnxRuntimeVersion, options, scenario, interrupted });
}

/** Each configuration in turn; one that cannot be measured keeps its error and does not keep others from it. */
async function prepareAll(
  preparations: Preparations,
  planned: readonly Configuration[],
  { scenario, memoryBytes }: Pick<RunContext, 'scenario' | 'memoryBytes'>,
  options: InContext<BenchOptions>,
  found: Progress,
): Promise<void> {
  const seed = options.seed ?? BENCH_DEFAULTS.seed;
  const { signal } = options;
  const context: RunContext = {
    scenario,
    seed,
    memoryBytes,
    ...(signal ? { signal } : {}),
    ...(options.reading ? { reading: options.reading } : {}),
  };
  for (const wanted of planned) {
    try {
      const { configuration, preparation } = await preparations.prepare(wanted);
      found.runs.push(new ConfigurationRun(configuration, preparation, context));
      found.notes.push(...preparation.notes);
      found.warnings.push(...preparation.warnings);
    } catch (error) {
      if (!(error instanceof ServeOptError) || options.signal?.aborted || planned.length === 1) throw error;
      found.runs.push(ConfigurationRun.failed(wanted, context, error));
    }
  }
}

function preparationsOf(scenario: Scenario, memoryBytes: number, options: InContext<BenchOptions>): Preparations {
  return new Preparations({
    ...(options.dataPath === undefined ? {} : { dataPath: options.dataPath }),
    seed: options.seed ?? BENCH_DEFAULTS.seed,
    profile: options.profile ?? false,
    findBatch: scenario.kind === 'offline',
    memoryBytes,
    ...(options.reading ? { reading: options.reading } : {}),
    ...(options.allowInvalid === undefined ? {} : { allowInvalid: options.allowInvalid }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** As asked for, or as a rate or a number of streams implies. */
function scenarioOf(options: BenchOptions): Scenario {
  const { rate, streams, arrivals } = options;
  const implied = rate !== undefined ? 'server' : streams !== undefined ? 'multi-stream' : undefined;
  const kind = options.scenario ?? implied ?? BENCH_DEFAULTS.scenario;
  if (kind === 'multi-stream') return { kind, streams: streams ?? BENCH_DEFAULTS.streams };
  if (kind !== 'server') return { kind };
  if (rate === undefined)
    throw new ServeOptError('SO1002', 'The scenario server needs a rate', { hint: 'give a rate (--rate)' });
  return { kind, ratePerSecond: rate, arrivals: arrivals ?? BENCH_DEFAULTS.arrivals };
}

/** More threads than CPUs: the median may look well, the tail does not. */
function oversubscribed(
  planned: readonly Configuration[],
  scenario: Scenario,
  { availableParallelism, cpuQuota = Number.POSITIVE_INFINITY }: EnvironmentReport,
): string[] {
  const cpus = Math.min(availableParallelism, cpuQuota);
  const streams = scenario.kind === 'multi-stream' ? scenario.streams : 1;
  // Left to itself, each process takes a thread for each CPU.
  const most = Math.max(...planned.map(({ threads }) => threads ?? (streams === 1 ? 0 : availableParallelism)));
  if (most * streams <= cpus) return [];
  const what = streams === 1 ? plural(most, 'thread') : `${streams} streams of ${plural(most, 'thread')} each`;
  return [`${what} are more than the ${cpus} CPUs that this process may use: tail latencies suffer first.`];
}
