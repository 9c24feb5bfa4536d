import { availableParallelism } from 'node:os';
import { judgeAgainstReport } from '../../bench/against-report.js';
import { concatenate } from '../../bench/concatenate.js';
import type { PairedRound } from '../../bench/paired-rounds.js';
import { quantileNearestRank } from '../../bench/quantiles.js';
import { judgeRegression } from '../../bench/regression.js';
import type { RegressionReport } from '../../bench/results.js';
import type { Scenario } from '../../bench/scenario.js';
import { processMedians } from '../../bench/summarize.js';
import { EXIT, ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import { formatType } from '../../ir/type.js';
import type { EnvironmentReport } from '../../runtime/environment.js';
import { startRuntime } from '../../runtime/host.js';
import { forTurns } from '../../runtime/session-options.js';
import { memoryLimit, runtimeOptions } from '../memory.js';
import { BENCH_DEFAULTS, type BenchOptions, type InContext } from '../options.js';
import { checkSameInputs } from '../preflight/interfaces.js';
import { checkModel } from '../preflight/model.js';
import type { Stages } from '../stages.js';
import {
  type EarlierConfiguration,
  type EarlierReport,
  isReportPath,
  readEarlierReport,
  scenarioKey,
} from './baseline-report.js';
import { type ConfigurationRun, sessionOptionsOf } from './configuration-run.js';
import type { BenchModel } from './plan.js';

/** How long one fresh process takes turns between models. */
const ROUND_MS = 3000;
/** Blocks of each session wanted in a round, and least ones where runs are slow. */
const BLOCKS = { wanted: 200, least: 5 } as const;
/** The baseline, the candidate and the baseline again. */
const SESSIONS = 3;
/** Fewer processes allow no verdict, so they are not stopped for the time. */
const LEAST_ROUNDS = 3;

/** What was measured, and where. */
export interface Candidates {
  readonly runs: readonly ConfigurationRun[];
  readonly environment: EnvironmentReport;
  readonly onnxRuntimeVersion: string | undefined;
}

/** What configurations are compared with: a model measured in turns, or an earlier report. */
export class Baseline {
  readonly #path: string;
  readonly #model: Model | undefined;
  readonly #report: EarlierReport | undefined;

  private constructor(path: string, model: Model | undefined, report: EarlierReport | undefined) {
    this.#path = path;
    this.#model = model;
    this.#report = report;
  }

  /** @throws SO2001 and its like for a file that cannot be read, SO4007 for a report that cannot be used */
  static async open(path: string, options: BenchOptions): Promise<Baseline> {
    if (isReportPath(path)) return new Baseline(path, undefined, readEarlierReport(path));
    const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
    try {
      checkModel(model, options);
    } catch (error) {
      model.source?.close();
      throw error;
    }
    return new Baseline(path, model, undefined);
  }

  get name(): string {
    return this.#report?.name ?? this.#path.split(/[\\/]/).at(-1) ?? this.#path;
  }

  /** Undefined where it is a report. */
  get model(): Model | undefined {
    return this.#model;
  }

  close(): void {
    this.#model?.source?.close();
  }

  /** Before anything is measured. @throws SO4002 for a model of other inputs, SO4007 for a report of one */
  check(models: readonly BenchModel[]): void {
    for (const { model, inputs, report } of models) {
      if (this.#model) checkSameInputs(this.#model, model);
      const earlier = this.#report?.configurations;
      if (!earlier) continue;
      const names = inputs.map(({ name }) => name).sort();
      const alike = earlier.some((each) => {
        const known = each.inputs.map(({ name }) => name).sort();
        return known.length === names.length && known.every((name, index) => name === names[index]);
      });
      if (!alike) {
        throw new ServeOptError('SO4007', `The baseline "${this.name}" is of another model`, {
          why: `${report.name} has the inputs ${names.join(', ') || 'none'}, which the report does not have`,
        });
      }
    }
  }

  /** A verdict for each configuration that was measured, one by one: a signal leaves those before it. */
  async *judge(
    candidates: Candidates,
    scenario: Scenario,
    options: InContext<BenchOptions>,
    stages: Stages,
  ): AsyncGenerator<RegressionReport> {
    for (const run of candidates.runs) {
      if (run.error) continue;
      yield this.#report
        ? this.#against(this.#report, run, candidates, scenario, options)
        : await this.#tryInTurns(run, options, stages);
    }
  }

  /** Models that cannot be run beside each other leave the gate undecided; what was measured before is kept. */
  async #tryInTurns(
    run: ConfigurationRun,
    options: InContext<BenchOptions>,
    stages: Stages,
  ): Promise<RegressionReport> {
    try {
      return await this.#inTurns(run, options, stages);
    } catch (error) {
      if (!(error instanceof ServeOptError) || options.signal?.aborted || error.exitCode === EXIT.bug) throw error;
      return {
        configuration: run.configuration.label,
        baseline: this.name,
        kind: 'model',
        minEffect: settings(options).minEffect,
        rounds: [],
        verdict: 'inconclusive',
        why: `they could not be run in turns: ${error.message}`,
      };
    }
  }

  /** Fresh processes one after the other, each with both models and the baseline once more, timed in turns. */
  async #inTurns(run: ConfigurationRun, options: InContext<BenchOptions>, stages: Stages): Promise<RegressionReport> {
    const { minEffect, seed } = settings(options);
    const maxTimeMs = options.maxTimeMs ?? BENCH_DEFAULTS.maxTimeMs;
    const begun = performance.now();
    const rounds: PairedRound[] = [];
    for (;;) {
      rounds.push(await this.#round(run, rounds.length, Math.min(this.#roundMs(run), maxTimeMs / 3), options));
      const passed = performance.now() - begun;
      const final = rounds.length >= LEAST_ROUNDS && passed + passed / rounds.length > maxTimeMs;
      stages.fraction(Math.min(1, passed / maxTimeMs));
      const { verdict, ...found } = judgeRegression(rounds, { minEffect, seed, final });
      if (verdict === undefined) continue;
      return {
        configuration: run.configuration.label,
        baseline: this.name,
        kind: 'model',
        minEffect,
        ...found,
        verdict,
      };
    }
  }

  #roundMs({ segments }: ConfigurationRun): number {
    const all = concatenate(segments.map(({ latencyMs }) => latencyMs.subarray(0, 1000)));
    return Math.max(ROUND_MS, BLOCKS.least * SESSIONS * quantileNearestRank(all, 0.5));
  }

  async #round(
    run: ConfigurationRun,
    round: number,
    maxMs: number,
    options: InContext<BenchOptions>,
  ): Promise<PairedRound> {
    const { configuration, preparation } = run;
    if (!preparation) throw new ServeOptError('SO9001', 'a configuration without preparation is compared');
    // Three sessions beside each other.
    const models = [configuration.model.model, ...(this.#model ? [this.#model, this.#model] : [])];
    const { threads } = configuration;
    const limited = {
      ...(options.signal ? { signal: options.signal } : {}),
      ...(threads === undefined ? {} : { threads }),
      ...(options.reading ? { reading: options.reading } : {}),
    };
    const host = await startRuntime(runtimeOptions(limited, memoryLimit(options, models)));
    try {
      const paths = [this.#path, configuration.model.path, this.#path];
      const sessions: number[] = [];
      // Where a session comes to lie in memory depends on when it is made, so the order of making changes.
      for (let i = 0; i < SESSIONS; i++) {
        const slot = (i + round) % SESSIONS;
        const loaded = await host.request('load', {
          path: paths[slot] ?? '',
          options: forTurns(sessionOptionsOf(configuration)),
        });
        sessions[slot] = loaded.session;
      }
      const { blockMediansMs } = await host.request('pairs', {
        sessions,
        source: preparation.source,
        inputs: preparation.inputs,
        batchSize: preparation.batch,
        maxMs,
        minBlocks: BLOCKS.wanted,
      });
      const [baselineMs, candidateMs, selfMs] = blockMediansMs;
      if (!baselineMs || !candidateMs || !selfMs) throw new ServeOptError('SO9001', 'the job "pairs" measured nothing');
      return { baselineMs, candidateMs, selfMs };
    } finally {
      await host.close();
    }
  }

  #against(
    report: EarlierReport,
    run: ConfigurationRun,
    { environment, onnxRuntimeVersion }: Candidates,
    scenario: Scenario,
    options: InContext<BenchOptions>,
  ): RegressionReport {
    const { minEffect } = settings(options);
    const base = { configuration: run.configuration.label, baseline: this.name, kind: 'report', minEffect } as const;
    const notComparable = (why: string): RegressionReport => ({ ...base, rounds: [], verdict: 'not-comparable', why });
    if (report.cpuModel !== environment.cpuModel)
      return notComparable(`it was measured on another CPU (${report.cpuModel}), this is ${environment.cpuModel}`);
    if (report.availableParallelism !== environment.availableParallelism)
      return notComparable(
        `it was measured with ${report.availableParallelism} CPUs, this machine has ${environment.availableParallelism}`,
      );
    if (report.onnxRuntimeVersion !== onnxRuntimeVersion)
      return notComparable(
        `it was measured with ONNX Runtime ${report.onnxRuntimeVersion || '?'}, this is ${onnxRuntimeVersion ?? '?'}`,
      );
    if (report.scenario !== scenarioKey(scenario)) return notComparable('it was measured in another scenario');
    const earlier = report.configurations.find((each) => isSame(each, run));
    if (!earlier) return notComparable('it has no configuration with these inputs, threads and execution providers');
    if (earlier.processes.length === 0) return notComparable('it has no measurement of this configuration');
    const processes = processMedians(run.segments);
    const { verdict = 'inconclusive', ...found } = judgeAgainstReport(earlier.processes, processes, {
      minEffect,
      final: true,
    });
    const disturbed = whyDisturbed(earlier.cpuPerWall, run.noise?.cpuPerWall);
    if (disturbed !== undefined && verdict !== 'inconclusive')
      return { ...base, ...found, rounds: [], verdict: 'inconclusive', why: `${disturbed}; time both models in turns` };
    return { ...base, ...found, rounds: [], verdict };
  }
}

/** The same work that got another share of the CPU was not alone at one of the two times: its latencies do not compare. */
const SAME_SHARE = 0.9;

function whyDisturbed(then: number | undefined, now: number | undefined): string | undefined {
  if (then === undefined || now === undefined) return undefined;
  if (Math.min(then, now) >= SAME_SHARE * Math.max(then, now)) return undefined;
  return `it had ${then.toFixed(2)} CPUs then and ${now.toFixed(2)} now: other processes ran on this machine`;
}

function settings(options: BenchOptions): { readonly minEffect: number; readonly seed: number } {
  return { minEffect: options.minEffect ?? BENCH_DEFAULTS.minEffect, seed: options.seed ?? BENCH_DEFAULTS.seed };
}

function isSame(earlier: EarlierConfiguration, run: ConfigurationRun): boolean {
  const { configuration, fed } = run;
  const inputs = new Map(
    fed.map(({ name, dataType, dims }) => [name, formatType({ kind: 'tensor', dataType, shape: [...dims] })]),
  );
  const providers = configuration.provider.names;
  return (
    (earlier.threads ?? availableParallelism()) === run.threads &&
    earlier.batchSize === run.rows &&
    earlier.executionProviders.join() === providers.join() &&
    earlier.inputs.length === inputs.size &&
    earlier.inputs.every(({ name, type }) => inputs.get(name) === type)
  );
}
