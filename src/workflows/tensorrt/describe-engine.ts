/** The report of an engine that was built or measured. */
import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { overall } from '../../gates/verdict.js';
import type {
  EngineProfile,
  EngineTensor,
  TensorRtConditions,
  TensorRtConversion,
  TensorRtReport,
} from '../../report/tensorrt-types.js';
import { REPORT_SCHEMA_VERSION, type ReportFile, type ReportModel } from '../../report/types.js';
import { readEnvironment } from '../../runtime/environment.js';
import { mergeLayers } from '../../targets/tensorrt/exports.js';
import { explainWarnings } from '../../targets/tensorrt/log-warnings.js';
import { TENSORRT_DEFAULTS } from '../../targets/tensorrt/plan.js';
import { STRONGLY_TYPED_SINCE } from '../../targets/tensorrt/precision-flags.js';
import { formatVersion, isAtLeast, type TensorRtVersion } from '../../targets/tensorrt/version.js';
import { packageVersion } from '../../version.js';
import { againstEarlier, type EarlierEngine, judgeEngine } from './judge-engine.js';
import { engineConfiguration } from './measurement.js';
import type { EngineRun } from './run-engine.js';
import type { EngineMeasureOptions, TensorRtOptions } from './tensorrt-options.js';
import type { Toolchain } from './toolchain.js';

export interface EngineFacts {
  readonly model?: ReportModel;
  readonly engine: ReportFile;
  readonly toolchain: Toolchain;
  readonly argv: readonly string[];
  readonly inputs: readonly EngineTensor[];
  readonly outputs: readonly EngineTensor[];
  readonly profiles: readonly EngineProfile[];
  readonly batchSize: number;
  /** Shapes that were run. */
  readonly shapes: TensorRtConditions['shapes'];
  readonly built: boolean;
  readonly converted?: TensorRtConversion;
}

/** The report, with budgets judged and compared with an earlier engine. */
export async function describeEngine(
  facts: EngineFacts,
  runs: readonly EngineRun[],
  earlier: EarlierEngine | undefined,
  warnings: readonly string[],
  options: TensorRtOptions & EngineMeasureOptions,
): Promise<TensorRtReport> {
  const { toolchain, engine, inputs, profiles, converted } = facts;
  const [first] = runs as readonly [EngineRun, ...EngineRun[]];
  const { log } = first;
  const streams = options.inferenceStreams ?? TENSORRT_DEFAULTS.streams;
  const conditions: TensorRtConditions = {
    transfers: log.conditions.transfers ?? options.transfers ?? TENSORRT_DEFAULTS.transfers,
    cudaGraph: log.conditions.cudaGraph ?? options.cudaGraph ?? TENSORRT_DEFAULTS.cudaGraph,
    spinWait: log.conditions.spinWait ?? TENSORRT_DEFAULTS.spinWait,
    streams: log.conditions.streams ?? streams,
    processes: runs.length,
    shapes: facts.shapes,
  };
  const measured = {
    engine,
    runs,
    batchSize: facts.batchSize,
    streams: conditions.streams,
    inputs: inputs.map(({ name, type }) => {
      const dims = facts.shapes.find((shape) => shape.name === name)?.dims ?? [];
      return { name, type: `${type}[${dims.join(',')}]` };
    }),
    dims: openSizes(inputs, facts.shapes),
  };
  const isMeasured = options.measure ?? true;
  const measurement = isMeasured ? engineConfiguration(measured) : undefined;
  const budgets =
    isMeasured || options.budgets?.every(({ metric }) => metric === 'size') ? judgeEngine(measured, options) : [];
  const regressions =
    earlier && isMeasured
      ? [againstEarlier(earlier, { configuration: measurement, device: log.device, conditions }, options)]
      : [];
  const verdict = overall([...budgets, ...regressions].map((each) => each.verdict));
  const layers = mergeLayers(first.layerInfo, first.profile);
  const { version } = toolchain;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'tensorrt',
    version: packageVersion(),
    ...(facts.model ? { model: facts.model } : {}),
    engine,
    tensorRtVersion: formatVersion(log.version ?? version),
    precision: options.precision ?? TENSORRT_DEFAULTS.precision,
    ...(converted ? { converted } : {}),
    inputs,
    outputs: facts.outputs,
    profiles,
    ...(log.device ? { device: log.device } : {}),
    ...(facts.built
      ? {
          build: {
            ...(log.buildSeconds === undefined ? {} : { seconds: log.buildSeconds }),
            ...(log.parseSeconds === undefined ? {} : { parseSeconds: log.parseSeconds }),
          },
        }
      : {}),
    trtexec: facts.argv.map(withoutFolder),
    ...(toolchain.image === undefined ? {} : { image: toolchain.image }),
    ...(isMeasured ? { conditions } : {}),
    summaries: isMeasured ? runs.map(({ log: each }) => each.summary) : [],
    ...(measurement ? { measurement } : {}),
    layers,
    ...(isMeasured ? { environment: await readEnvironment() } : {}),
    budgets,
    regressions,
    ...(verdict === undefined ? {} : { verdict }),
    warnings: [
      ...new Set([
        ...warnings,
        ...runs.flatMap((run) => [...run.warnings, ...explainWarnings(run.log)]),
        ...(isMeasured && !measurement ? ['trtexec printed no measurement.'] : []),
        ...(isMeasured && first.profile === undefined ? ['trtexec wrote no profile of layers.'] : []),
      ]),
    ],
    notes: converted ? [conversionNote(converted), ...restNotes(converted, toolchain.version)] : [],
  };
}

/** An engine that misses a budget is not delivered. @throws SO7001, SO7002 */
export function refuseEngine(report: TensorRtReport, options: TensorRtOptions): void {
  if (report.verdict === undefined || report.verdict === 'pass') return;
  if (report.verdict === 'inconclusive' && options.allowInconclusive) return;
  options.onRefused?.(report);
  throw gateError(report);
}

/** What a report misses, as an error. */
export function gateError({ verdict, budgets, regressions }: TensorRtReport): ServeOptError {
  const wanted = verdict === 'fail' ? 'fail' : 'inconclusive';
  const budget = budgets.find((each) => each.verdict === wanted);
  const regression = regressions.find((each) => each.verdict === wanted);
  const what =
    budget === undefined
      ? `the comparison with ${regression?.baseline ?? 'the baseline'}`
      : `--budget ${budget.metric}=${budget.budget}`;
  const why = budget?.why ?? regression?.why;
  if (verdict === 'fail') {
    return new ServeOptError('SO7001', `The engine misses ${what}`, {
      ...(why === undefined ? {} : { why }),
      hint: 'set another limit, or build with another --precision',
    });
  }
  return new ServeOptError('SO7002', `It cannot be decided whether the engine meets ${what}`, {
    ...(why === undefined ? {} : { why }),
    hint: 'measure longer with --duration 10s --processes 5, or add --allow-inconclusive',
  });
}

/** Sizes chosen for open dimensions. */
function openSizes(
  inputs: readonly EngineTensor[],
  shapes: TensorRtConditions['shapes'],
): readonly { readonly name: string; readonly size: number }[] {
  const sizes = new Map<string, number>();
  for (const { name, dims = [], symbols = [] } of inputs) {
    const shape = shapes.find((each) => each.name === name)?.dims ?? [];
    for (const [axis, dim] of dims.entries()) {
      const size = shape[axis];
      if (dim === -1 && size !== undefined) sizes.set(symbols[axis] ?? `${name}:${axis}`, size);
    }
  }
  return [...sizes].map(([name, size]) => ({ name, size }));
}

function conversionNote({ mode, layers, worstSqnrDb }: TensorRtConversion): string {
  const noise =
    worstSqnrDb === undefined || !Number.isFinite(worstSqnrDb)
      ? ''
      : `, SQNR ${worstSqnrDb.toFixed(1)} dB in ONNX Runtime`;
  return `The graph was converted to ${mode.toUpperCase()} before TensorRT got it: ${layers} layers${noise}.`;
}

/** What layers without pairs compute in where the graph alone decides. */
function restNotes({ mode }: TensorRtConversion, version: TensorRtVersion): readonly string[] {
  if ((mode !== 'int8' && mode !== 'fp8') || !isAtLeast(version, STRONGLY_TYPED_SINCE)) return [];
  return [
    `Layers without ${mode.toUpperCase()} pairs compute in FP32 (TF32 where the GPU has it), as their types say.`,
  ];
}

/** Reports hold no folders. */
function withoutFolder(argument: string): string {
  const at = argument.indexOf('=');
  const value = argument.slice(at + 1);
  return at < 0 || !/^(?:[/\\]|[A-Za-z]:[/\\])/.test(value) ? argument : `${argument.slice(0, at)}=${basename(value)}`;
}
