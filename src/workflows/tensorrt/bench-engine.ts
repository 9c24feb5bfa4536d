import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { JsonRefusal, parseBoundedJson } from '../../codec/bounded-json.js';
import { readSmallFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { unknownDim } from '../../ops/unknown-dim.js';
import type { EngineProfile, EngineTensor, TensorRtConditions, TensorRtReport } from '../../report/tensorrt-types.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import { renderPlan } from '../../targets/tensorrt/render-plan.js';
import type { InContext, WorkflowContext } from '../options.js';
import { checkOptions } from '../preflight/check-options.js';
import { reportPath } from '../produce/report-path.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { describeEngine } from './describe-engine.js';
import { type BuiltFor, exportPaths, loadPlan } from './engine-plan.js';
import { batchOf } from './engine-profiles.js';
import { readEarlierEngine } from './judge-engine.js';
import { type EngineRun, runEngine } from './run-engine.js';
import { type BenchEngineOptions, ENGINE_DEFAULTS } from './tensorrt-options.js';
import { openToolchain, toolchainWords } from './toolchain.js';

/** What the report beside an engine says of it. */
interface EngineInterface {
  readonly inputs: readonly EngineTensor[];
  readonly outputs: readonly EngineTensor[];
  readonly profiles: readonly EngineProfile[];
  readonly built: BuiltFor;
}

const MOST_REPORT_BYTES = 64 * 1024 * 1024;

/**
 * Measures an engine by trtexec's `--loadEngine` and judges budgets. Its open dimensions are known from the report beside it.
 * @throws SO2001, SO2003 for what is no engine, SO1006 for dimensions that it does not have, SO5201 where there is no trtexec,
 *   SO5202 to SO5207 as trtexec fails
 */
export async function benchEngine(
  path: string,
  given: BenchEngineOptions = {},
  context: WorkflowContext = {},
): Promise<TensorRtReport> {
  const options: InContext<BenchEngineOptions> = { ...given, ...context };
  const ignored = checkOptions('bench', { ...options, enginePath: path });
  const earlier = options.baselinePath === undefined ? undefined : readEarlierEngine(options.baselinePath);
  const stages = new Stages(options);
  stages.start('check');
  checkIsEngine(path);
  options.onFiles?.({ reads: [path, options.baselinePath].filter((each) => each !== undefined), writes: [] });
  const known = readInterface(path);
  const shapes = shapesOf(path, known, options.dims ?? new Map());
  const toolchain = await openToolchain(options, context);
  stages.end(toolchainWords(toolchain));
  const hashes = new FileHashes();
  try {
    return await withWorkFolder(async (folder) => {
      const runs: EngineRun[] = [];
      let argv: readonly string[] = [];
      const warnings = [...ignored, ...toolchain.warnings];
      for (let round = 0; round < (options.processes ?? ENGINE_DEFAULTS.processes); round++) {
        const place = join(folder.path, `process-${round}`);
        mkdirSync(place);
        const exports = exportPaths(place);
        const plan = loadPlan(path, round === 0 ? exports : undefined, shapes, options, known?.built);
        const rendered = renderPlan(round === 0 ? plan : { ...plan, exportTimes: exports.times }, toolchain.version);
        if (round === 0) {
          argv = rendered.argv;
          warnings.push(...rendered.warnings);
        }
        runs.push(
          await runEngine(
            toolchain,
            {
              argv: rendered.argv,
              logPath: join(place, 'trtexec.log'),
              exports,
              round,
              name: basename(path),
              logName: 'run again with -v',
              firstStage: round === 0 ? 'measure' : 'measure again',
              stageNames: new Map(),
            },
            options,
            stages,
          ),
        );
      }
      const all = allShapes(known?.inputs ?? [], shapes);
      return describeEngine(
        {
          engine: await hashes.file(path),
          toolchain,
          argv,
          inputs: known?.inputs ?? [],
          outputs: known?.outputs ?? [],
          profiles: known?.profiles ?? [],
          batchSize: batchOf(all),
          shapes: all,
          built: false,
        },
        runs,
        earlier,
        warnings,
        withoutDims(options),
      );
    });
  } finally {
    await hashes.close();
  }
}

/** Refuses an ONNX model given for an engine. Engines of future versions may begin otherwise. */
function checkIsEngine(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new ServeOptError('SO2001', `The engine "${path}" does not exist`, { location: { file: path } });
  if (!stat.isFile()) throw new ServeOptError('SO2002', `"${path}" is not a file`, { location: { file: path } });
  if (stat.size === 0)
    throw new ServeOptError('SO2004', `The engine "${path}" is empty`, {
      hint: 'build it again: serve-opt tensorrt MODEL',
      location: { file: path },
    });
  const head = new Uint8Array(4);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head);
  } finally {
    closeSync(fd);
  }
  const magic = String.fromCharCode(...head);
  if (magic === 'ptrt' || magic === 'ftrt' || !/\.onnx$/i.test(path)) return;
  throw new ServeOptError('SO1006', `"${path}" of --engine is an ONNX model, not a TensorRT engine`, {
    hint: `build an engine from it: serve-opt tensorrt ${path}`,
    location: { file: path },
  });
}

/** Undefined where there is no report: then an engine with fixed sizes can be measured, and others trtexec refuses. */
function readInterface(path: string): EngineInterface | undefined {
  const place = reportPath(path);
  if (statSync(place, { throwIfNoEntry: false }) === undefined) return undefined;
  let value: unknown;
  try {
    value = parseBoundedJson(readSmallFile(place, MOST_REPORT_BYTES));
  } catch (error) {
    if (!(error instanceof JsonRefusal)) throw error;
    throw new ServeOptError('SO4007', `The report "${place}" beside the engine cannot be read`, {
      why: error.message,
      hint: 'remove it, or build the engine again',
    });
  }
  const report = value as Partial<TensorRtReport>;
  if (report?.command !== 'tensorrt' || !Array.isArray(report.inputs) || !Array.isArray(report.profiles))
    return undefined;
  const { inputs, outputs = [], profiles, trtexec } = report;
  return { inputs, outputs, profiles, built: builtFor(trtexec) };
}

/** What loading an engine has to be told, from the arguments that it was built with. */
function builtFor(argv: unknown): BuiltFor {
  const words = Array.isArray(argv) ? argv.filter((word) => typeof word === 'string') : [];
  const core = words.flatMap((word) => /^--useDLACore=(\d{1,3})$/.exec(word)?.[1] ?? [])[0];
  return {
    ...(words.includes('--versionCompatible') ? { versionCompatible: true } : {}),
    ...(core === undefined ? {} : { dlaCore: Number(core) }),
  };
}

/** Shapes of the inputs with open dimensions: the best ones of the first profile, with the sizes that were given. */
function shapesOf(
  path: string,
  known: EngineInterface | undefined,
  dims: ReadonlyMap<string, number>,
): TensorRtConditions['shapes'] {
  if (!known) {
    if (dims.size === 0) return [];
    throw new ServeOptError('SO1006', `--dim cannot be used with "${path}"`, {
      why: `there is no ${basename(reportPath(path))} beside it, which names its inputs`,
      hint: 'give shapes as trtexec takes them: --trtexec-flag=--shapes=input:8x3x224x224',
    });
  }
  const places = new Map<string, string>();
  for (const { name, dims: sizes = [], symbols = [] } of known.inputs) {
    for (const [axis, size] of sizes.entries()) {
      if (size !== -1) continue;
      places.set(`${name}:${axis}`, `${name}:${axis}`);
      const symbol = symbols[axis];
      if (symbol) places.set(symbol, symbol);
    }
  }
  for (const name of dims.keys()) if (!places.has(name)) throw unknownDim(name, places);
  return (known.profiles[0]?.inputs ?? []).map(({ name, min, opt, max }) => {
    const input = known.inputs.find((each) => each.name === name);
    return {
      name,
      dims: opt.map((best, axis) => {
        const size = dims.get(input?.symbols?.[axis] ?? '') ?? dims.get(`${name}:${axis}`) ?? best;
        const [least, most] = [min[axis] ?? best, max[axis] ?? best];
        if (size >= least && size <= most) return size;
        throw new ServeOptError('SO1006', `The size ${size} of dimension ${axis} of "${name}" is not allowed`, {
          why: `the engine was built for ${least} to ${most}`,
          hint: `write a size from ${least} to ${most}`,
        });
      }),
    };
  });
}

/** The options that a report tells of; sizes are in the shapes. */
function withoutDims({
  dims: _,
  ...options
}: InContext<BenchEngineOptions>): Omit<InContext<BenchEngineOptions>, 'dims'> {
  return options;
}

/** Those of inputs with fixed sizes too. */
function allShapes(inputs: readonly EngineTensor[], open: TensorRtConditions['shapes']): TensorRtConditions['shapes'] {
  if (inputs.length === 0) return open;
  return inputs.map(({ name, dims = [] }) => open.find((each) => each.name === name) ?? { name, dims });
}
