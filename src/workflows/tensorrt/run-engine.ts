/** One run of trtexec: its outcome checked, its exports read. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Segment } from '../../bench/segment.js';
import { ServeOptError } from '../../errors.js';
import {
  type LayerInfo,
  type LayerProfile,
  parseLayerInfo,
  parseLayerProfile,
  QueryTimesReader,
} from '../../targets/tensorrt/exports.js';
import { failureOf, failureOfLastWords } from '../../targets/tensorrt/failures.js';
import type { ExportPaths } from '../../targets/tensorrt/plan.js';
import type { TrtexecOutcome } from '../../targets/tensorrt/run-trtexec.js';
import type { TrtexecLog, TrtexecStage } from '../../targets/tensorrt/trtexec-log.js';
import type { InContext } from '../options.js';
import type { Stages } from '../stages.js';
import type { TrtexecOptions } from './tensorrt-options.js';
import { ENGINE_DEFAULTS } from './tensorrt-options.js';
import type { Toolchain } from './toolchain.js';

/** What one process gave. */
export interface EngineRun {
  readonly log: TrtexecLog;
  /** Every query, where trtexec exported them. */
  readonly segment: Segment | undefined;
  readonly profile: LayerProfile | undefined;
  readonly layerInfo: LayerInfo | undefined;
  /** About exports that could not be read. */
  readonly warnings: readonly string[];
}

export interface EngineRunPlan {
  readonly argv: readonly string[];
  readonly logPath: string;
  readonly exports: ExportPaths;
  /** Index of the process. */
  readonly round: number;
  /** Name of the model or engine, for messages. */
  readonly name: string;
  /** Name that the log will have, for messages. */
  readonly logName: string;
  /** Stages to show for parts of the run; none for those that are absent. */
  readonly stageNames: ReadonlyMap<TrtexecStage, string>;
  readonly firstStage: string;
}

/** Largest export of layers that is read. */
const MOST_EXPORT_BYTES = 64 * 1024 * 1024;

/** Runs trtexec once. @throws SO5202 to SO5207, SO6001 as its log tells, SO8130 when interrupted */
export async function runEngine(
  toolchain: Toolchain,
  plan: EngineRunPlan,
  options: InContext<TrtexecOptions>,
  stages: Stages,
): Promise<EngineRun> {
  stages.start(plan.firstStage);
  let current = plan.firstStage;
  const onStage = (stage: TrtexecStage): void => {
    const next = plan.stageNames.get(stage);
    if (next === undefined || next === current || options.signal?.aborted) return;
    stages.end();
    stages.start(next);
    current = next;
  };
  const onLine = (line: string): void => options.onProgress?.({ kind: 'detail', message: line });
  const outcome = await toolchain.run(plan.argv, {
    logPath: plan.logPath,
    onStage,
    onLine,
    signal: options.signal,
    timeoutMs: options.buildTimeoutMs ?? ENGINE_DEFAULTS.buildTimeoutMs,
  });
  const failure = whyFailed(outcome, plan.name);
  if (failure) throw withLog(failure, plan.logName);
  stages.end();
  const warnings: string[] = [];
  if (outcome.logFailure !== undefined) warnings.push(`The log of trtexec is not whole: ${outcome.logFailure}.`);
  const read = <T>(what: string, path: string, parse: (path: string) => T): T | undefined => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    try {
      return parse(path);
    } catch (error) {
      warnings.push(`The ${what} of trtexec could not be read: ${error instanceof Error ? error.message : error}.`);
      return undefined;
    }
  };
  const { exports, round } = plan;
  return {
    log: outcome.log,
    segment: read('times', exports.times, (path) => readSegment(path, round)),
    profile: read('profile', exports.profile, (path) => parseLayerProfile(readText(path))),
    layerInfo: read('layer information', exports.layers, (path) => parseLayerInfo(readText(path))),
    warnings,
  };
}

function readText(path: string): string {
  if (statSync(path).size > MOST_EXPORT_BYTES) throw new Error('it is larger than 64 MiB');
  return readFileSync(path, 'utf8');
}

/** Piece by piece: a file of times may have a hundred megabytes. */
function readSegment(path: string, round: number): Segment | undefined {
  const reader = new QueryTimesReader();
  const fd = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(1024 * 1024);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      reader.push(buffer.subarray(0, count));
  } finally {
    closeSync(fd);
  }
  const times = reader.end();
  if (times.latencyMs.length === 0) return undefined;
  return { ...times, round, stream: 0, failures: 0 };
}

/** Why a run is no success; undefined where it is one: it ended by itself, without an error, and said PASSED. */
function whyFailed({ log, exitCode, endedBy, timedOut }: TrtexecOutcome, name: string): ServeOptError | undefined {
  const last = log.lastLines.at(-1);
  const why = last === undefined ? 'it printed nothing' : `its last line is: ${last.slice(0, 300)}`;
  if (timedOut) return new ServeOptError('SO5207', 'trtexec did not end within the time allowed', { why });
  if (endedBy !== undefined) {
    const told = failureOf(log, name);
    if (told) return told;
    return new ServeOptError('SO5202', `trtexec was ended by ${endedBy}`, {
      why,
      ...(endedBy === 'SIGKILL'
        ? { hint: 'the system ends processes like this when memory runs out: free some, or build on a larger machine' }
        : {}),
    });
  }
  if (log.verdict === 'passed' && exitCode === 0) return undefined;
  const told = failureOf(log, name) ?? failureOfLastWords(log);
  if (told) return told;
  if (exitCode === 0) {
    return new ServeOptError('SO5202', 'trtexec ended without saying PASSED', { why });
  }
  return new ServeOptError('SO5202', `trtexec ended with exit code ${exitCode}`, { why });
}

function withLog(error: ServeOptError, logName: string): ServeOptError {
  return new ServeOptError(error.code, error.message, {
    ...(error.why === undefined ? {} : { why: error.why }),
    hint: error.hasDefaultHint && error.code === 'SO5202' ? `see ${logName}` : `${error.hint} (log: ${logName})`,
    location: error.location,
    cause: error.cause,
  });
}
