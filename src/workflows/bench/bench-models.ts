import type { Scenario } from '../../bench/scenario.js';
import { ServeOptError } from '../../errors.js';
import { readModel } from '../../ir/read-model.js';
import { assertUsable } from '../../ir/usable.js';
import { assertValid } from '../../ir/verify.js';
import type { BenchReport, EnvironmentReport, RegressionReport } from '../../report/bench-types.js';
import { plural } from '../../report/format.js';
import { readEnvironment } from '../../runtime/environment.js';
import { inputSpecs } from '../../runtime/value-specs.js';
import { checkWorkFolder } from '../../runtime/work-folder.js';
import { memoryBytes as checkedBytes, memoryLimit } from '../memory.js';
import { BENCH_DEFAULTS, type BenchOptions } from '../options.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { Baseline } from './baseline.js';
import { BudgetGates } from './budget-gates.js';
import { ConfigurationRun, type RunContext } from './configuration-run.js';
import { benchReport } from './describe.js';
import { measureAll } from './measure-all.js';
import { type BenchModel, type Configuration, planConfigurations } from './plan.js';
import { Preparations } from './preparations.js';
import { chooseProviders } from './providers.js';

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
export async function benchModels(paths: readonly string[], options: BenchOptions = {}): Promise<BenchReport> {
  if (paths.length === 0) throw new ServeOptError('SO1001', 'There is no model to measure', { hint: 'give a path' });
  refuseServerBudgets(options);
  if (options.memory !== undefined) checkedBytes(options.memory);
  const stages = new Stages(options);
  const hashes = new FileHashes();
  const models: BenchModel[] = [];
  const inputs = new WatchedInputs(options.dataPath);
  try {
    stages.start('read');
    for (const path of paths) models.push(await openModel(path, options, hashes));
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
      stages.end();
      return await inputs.during(options.signal, async () => {
        const report = await benchOpened(models, baseline, options, stages);
        if (!report.interrupted) inputs.check();
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

/** What only the protocol of a server tells. */
const OF_SERVERS: ReadonlySet<string> = new Set(['first-token', 'tokens']);

function refuseServerBudgets({ budgets = [] }: BenchOptions): void {
  const wrong = budgets.find(({ metric }) => OF_SERVERS.has(metric));
  if (!wrong) return;
  throw new ServeOptError('SO1006', `A model alone has no budget of ${wrong.metric}`, {
    why: 'tokens are counted in the answers of a server',
    hint: 'measure a running server with --url',
  });
}

async function openModel(path: string, options: BenchOptions, hashes: FileHashes): Promise<BenchModel> {
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  try {
    assertUsable(model);
    assertValid(model);
    return {
      path,
      model,
      inputs: inputSpecs(model),
      report: await hashes.model(path, model.source?.externalPaths() ?? []),
    };
  } catch (error) {
    model.source?.close();
    throw error;
  }
}

async function benchOpened(
  models: readonly BenchModel[],
  baseline: Baseline | undefined,
  options: BenchOptions,
  stages: Stages,
): Promise<BenchReport> {
  const scenario = scenarioOf(options);
  stages.start('prepare');
  const environment = await readEnvironment();
  const { executionProviders = [] } = options;
  const wanted = executionProviders.length > 0 ? executionProviders : ['cpu'];
  const { providers, notes } = await chooseProviders(wanted, options);
  const planned = planConfigurations({
    models,
    providers,
    threads: options.threads ?? [],
    batch: options.batch ?? [],
    dims: options.dims ?? new Map(),
  });
  const found: Progress = {
    runs: [],
    gates: new BudgetGates(options.budgets ?? [], scenario, options.processes ?? BENCH_DEFAULTS.processes),
    regressions: [],
    warnings: oversubscribed(planned, scenario, environment),
    notes: [...notes],
    environment,
  };
  const streams = scenario.kind === 'multi-stream' ? scenario.streams : 1;
  const opened = models.map(({ model }) => model);
  const memoryBytes = memoryLimit(options, opened, streams);
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
  options: BenchOptions,
  found: Progress,
): Promise<void> {
  const seed = options.seed ?? BENCH_DEFAULTS.seed;
  const { signal } = options;
  const context: RunContext = { scenario, seed, memoryBytes, ...(signal ? { signal } : {}) };
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

function preparationsOf(scenario: Scenario, memoryBytes: number, options: BenchOptions): Preparations {
  return new Preparations({
    ...(options.dataPath === undefined ? {} : { dataPath: options.dataPath }),
    seed: options.seed ?? BENCH_DEFAULTS.seed,
    profile: options.profile ?? false,
    findBatch: scenario.kind === 'offline',
    memoryBytes,
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

/** Each holds a model. */
const MOST_STREAMS = 256;

function scenarioOf(options: BenchOptions): Scenario {
  const kind = options.scenario ?? BENCH_DEFAULTS.scenario;
  if (kind === 'multi-stream') {
    const { streams = BENCH_DEFAULTS.streams } = options;
    if (streams <= MOST_STREAMS) return { kind, streams };
    throw new ServeOptError('SO1006', `There cannot be ${streams} streams: each is a process of its own`, {
      why: `from 1 to ${MOST_STREAMS}`,
    });
  }
  if (kind !== 'server') return { kind };
  if (options.ratePerSecond === undefined)
    throw new ServeOptError('SO1002', 'The scenario server needs a rate', { hint: 'give ratePerSecond (--rate)' });
  return { kind, ratePerSecond: options.ratePerSecond, arrivals: options.arrivals ?? BENCH_DEFAULTS.arrivals };
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
