import { availableParallelism, cpus, hostname } from 'node:os';
import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { CostLatency } from '../../report/distill-types.js';
import { startRuntime } from '../../runtime/host.js';
import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import { runtimeOptions } from '../memory.js';
import type { ExecutionOptions, InContext } from '../options.js';
import { statedCost } from '../stated-cost.js';
import { parameterCount, storedTensors } from '../stored-tensors.js';
import { sessionOptions } from '../workbench/execution-session.js';
import { type Subject, sampleInputs } from './subject.js';

/** What a model costs without running it. */
export function countedCost(model: Model): { readonly parameters: number; readonly macs?: number } {
  const { cost } = statedCost(model.clone());
  const parameters = parameterCount(storedTensors(model));
  return cost.unknown.length > 0 ? { parameters } : { parameters, macs: cost.macs };
}

type MeasureOptions = InContext<ExecutionOptions> & { readonly memoryBytes: number };

/** Limits of the latency measurement of each student. */
const LATENCY_LIMITS = { minRuns: 60, maxMs: 2500 } as const;

export interface MeasuredCosts {
  readonly teacher?: CostLatency;
  readonly students: readonly (CostLatency | undefined)[];
  readonly notes: readonly string[];
}

/**
 * Times the teacher and each student in turns on the same samples. A student that takes other inputs or samples than the teacher is not
 * timed, which a note tells.
 */
export async function measureLatencies(
  teacher: Subject,
  students: readonly Subject[],
  options: MeasureOptions,
): Promise<MeasuredCosts> {
  const runtime = new LazyRuntime(runtimeOptions(options, options.memoryBytes));
  const notes: string[] = [];
  const found: (CostLatency | undefined)[] = [];
  let ofTeacher: CostLatency | undefined;
  try {
    const load = async ({ path }: Subject): Promise<number> =>
      (
        await (
          await runtime.host()
        ).request('load', {
          path,
          options: withOptions(SESSIONS.timed, sessionOptions(options)),
        })
      ).session;
    for (const student of students) {
      if (options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      if (student.names.size > 0 || student.source.path !== teacher.source.path) {
        notes.push(
          `The latency of ${student.name} was not measured: it takes other inputs or samples than the teacher.`,
        );
        found.push(undefined);
        continue;
      }
      const host = await runtime.host();
      const sessions = [await load(teacher), await load(student)] as const;
      const { latencies, ratio } = await host.request('latency', {
        sessions,
        source: teacher.source,
        inputs: sampleInputs(teacher),
        ...LATENCY_LIMITS,
      });
      for (const session of sessions) await host.request('release', { session });
      const [first, second] = latencies;
      if (!first || !second) continue;
      ofTeacher ??= { p50Ms: first.p50Ms, p95Ms: first.p95Ms, runs: first.runs };
      found.push({
        p50Ms: second.p50Ms,
        p95Ms: second.p95Ms,
        runs: second.runs,
        ...(ratio ? { ratio: ratio.median } : {}),
        ...(ratio?.low === undefined ? {} : { ratioLow: ratio.low }),
        ...(ratio?.high === undefined ? {} : { ratioHigh: ratio.high }),
      });
    }
  } finally {
    await runtime.close();
  }
  return { ...(ofTeacher ? { teacher: ofTeacher } : {}), students: found, notes };
}

/** Peak memory of a process that loads a model and runs one sample, less that of the bare runtime. */
export async function measureMemory(subjects: readonly Subject[], options: MeasureOptions): Promise<readonly number[]> {
  const peakOf = async (subject: Subject | undefined): Promise<number> => {
    const host = await startRuntime(runtimeOptions(options, options.memoryBytes));
    try {
      if (subject) {
        const session = withOptions(SESSIONS.timed, sessionOptions(options));
        const { session: id } = await host.request('load', { path: subject.path, options: session });
        const { source, names } = subject;
        await host.request('peek', {
          session: id,
          source: { ...source, first: source.first ?? 0, count: 1 },
          inputs: sampleInputs(subject),
          names,
        });
      } else await host.request('probe', { provider: 'cpu' });
      return (await host.request('processMemory', undefined)).peakBytes;
    } finally {
      await host.close();
    }
  };
  const bare = await peakOf(undefined);
  const peaks: number[] = [];
  for (const subject of subjects) peaks.push(Math.max(0, (await peakOf(subject)) - bare));
  return peaks;
}

/** What latency and memory depend on: the models, the machine, and how models run. */
export function costsKey(
  subjects: readonly Subject[],
  models: readonly { readonly sha256?: string }[],
  { executionProviders = ['cpu'], threads }: ExecutionOptions,
): object {
  const [cpu] = cpus();
  return {
    models: models.map(({ sha256 }) => sha256),
    data: subjects.map(({ source }) => basename(source.path)),
    executionProviders,
    threads: threads ?? null,
    machine: `${hostname()} ${cpu?.model ?? ''} ${availableParallelism()}`,
  };
}
