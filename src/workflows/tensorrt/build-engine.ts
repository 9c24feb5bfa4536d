import { mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { StagedFiles } from '../../codec/atomic-file.js';
import { checkOutputs, type PlannedOutput, resolveTarget } from '../../codec/output-target.js';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { TensorRtConversionMode, TensorRtReport } from '../../report/tensorrt-types.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';
import { graphTypes } from '../../targets/tensorrt/preflight.js';
import { renderPlan } from '../../targets/tensorrt/render-plan.js';
import type { InContext, WorkflowContext } from '../options.js';
import { checkOptions } from '../preflight/check-options.js';
import { reportPath } from '../produce/report-path.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { commitWithReport } from '../write-report.js';
import { type ConvertedGraph, convertGraph } from './convert-graph.js';
import { describeEngine, type EngineFacts, refuseEngine } from './describe-engine.js';
import { buildPlan, exportPaths, loadPlan } from './engine-plan.js';
import { batchOf, engineTensors } from './engine-profiles.js';
import { type EarlierEngine, readEarlierEngine } from './judge-engine.js';
import { enginePath, type PreparedBuild, prepareBuild, typesAfter, withModel, withTag } from './prepare-build.js';
import { type EngineRun, runEngine } from './run-engine.js';
import { ENGINE_DEFAULTS, type TensorRtOptions } from './tensorrt-options.js';
import { openToolchain, toolchainWords } from './toolchain.js';

/**
 * Builds a TensorRT engine with trtexec, measures it, and judges budgets. The engine appears with its report beside it, or neither does.
 * @param path of an ONNX model
 * @throws SO5201 where there is no trtexec, SO5203 for what TensorRT does not support, SO5202 to SO5207 as trtexec fails, SO7001 and
 *   SO7002 for budgets; the output path then holds what it held before
 */
export async function buildEngine(
  path: string,
  given: TensorRtOptions = {},
  context: WorkflowContext = {},
): Promise<TensorRtReport> {
  const options: InContext<TensorRtOptions> = { ...given, ...context };
  const ignored = checkOptions('tensorrt', options);
  const earlier = options.baselinePath === undefined ? undefined : readEarlierEngine(options.baselinePath);
  const stages = new Stages(options);
  return withModel(path, options, stages, async (model, inputs) => {
    const outputPath = options.outputPath ?? enginePath(path, options);
    checkFiles(model, path, outputPath, options);
    const toolchain = await openToolchain(options, context);
    const prepared = prepareBuild(model, path, toolchain, options);
    stages.end(toolchainWords(toolchain));
    const hashes = new FileHashes();
    try {
      const build = new EngineBuild(prepared, path, outputPath, options, stages, hashes);
      const report = await build.run([...ignored, ...prepared.warnings], earlier);
      inputs.check();
      return report;
    } finally {
      await hashes.close();
    }
  });
}

function checkFiles(model: Model, path: string, outputPath: string, options: TensorRtOptions): void {
  const { dataPath, baselinePath, calibrationCachePath, plugins = [] } = options;
  const reads = [
    path,
    ...(model.source?.externalPaths() ?? []),
    dataPath,
    baselinePath,
    calibrationCachePath,
    ...plugins,
  ].filter((each) => each !== undefined);
  const writes: PlannedOutput[] = [
    { name: '-o', path: outputPath, replaces: options.force ? 'any' : 'new' },
    { name: 'the report beside the output', path: reportPath(outputPath), replaces: 'text' },
    { name: 'the log beside the output', path: logPath(outputPath), replaces: 'any' },
  ];
  checkOutputs(writes, reads);
  options.onFiles?.({ reads, writes });
}

/** Where the log of trtexec goes: `model.plan` has `model.trtexec.log`. */
export function logPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath, extname(outputPath))}.trtexec.log`);
}

/** One build, from conversion to the engine in its place. */
class EngineBuild {
  readonly #prepared: PreparedBuild;
  readonly #path: string;
  readonly #outputPath: string;
  readonly #options: InContext<TensorRtOptions>;
  readonly #stages: Stages;
  readonly #hashes: FileHashes;
  readonly #staged: StagedFiles;
  readonly #name: string;
  readonly #target: string;
  /** The log to keep: of the last run that failed, or of the first. */
  #log: string;

  constructor(
    prepared: PreparedBuild,
    path: string,
    outputPath: string,
    options: InContext<TensorRtOptions>,
    stages: Stages,
    hashes: FileHashes,
  ) {
    this.#prepared = prepared;
    this.#path = path;
    this.#outputPath = outputPath;
    this.#options = options;
    this.#stages = stages;
    this.#hashes = hashes;
    this.#target = resolveTarget(outputPath).path;
    this.#name = basename(this.#target);
    this.#staged = StagedFiles.create(this.#target, outputPath);
    this.#log = this.#staged.stagedPath(LOG_NAME);
  }

  async run(warnings: readonly string[], earlier: EarlierEngine | undefined): Promise<TensorRtReport> {
    const { toolchain, conversion } = this.#prepared;
    try {
      const converted = conversion === 'none' ? undefined : await this.#convert(conversion);
      const first = await this.#build(converted);
      checkEngine(this.#staged.stagedPath(this.#name), first.run, this.#outputPath);
      const runs = [first.run, ...(await this.#measureAgain())];
      const report = await this.#describe(runs, first.argv, converted, earlier, [
        ...warnings,
        ...toolchain.warnings,
        ...(converted?.warnings ?? []),
        ...first.warnings,
      ]);
      refuseEngine(report, this.#options);
      this.#staged.adopt(this.#name);
      const commit = (): void => this.#staged.commit({ replace: this.#options.force ?? false });
      this.#keepLog();
      await commitWithReport({ commit }, report, this.#outputPath);
      return report;
    } catch (error) {
      // After a signal nobody asks why; else the log tells more than any message.
      if (!this.#options.signal?.aborted) this.#keepLog();
      throw error;
    } finally {
      this.#staged.discard();
    }
  }

  #convert(mode: TensorRtConversionMode): Promise<ConvertedGraph> {
    const folder = this.#staged.stagedPath('converted');
    mkdirSync(folder);
    const path = join(folder, basename(withTag(this.#path, mode)));
    return convertGraph(this.#path, path, mode, this.#prepared.toolchain.version, this.#options);
  }

  async #build(
    converted: ConvertedGraph | undefined,
  ): Promise<{ readonly run: EngineRun; readonly argv: readonly string[]; readonly warnings: readonly string[] }> {
    const { model, toolchain, profiles, conversion } = this.#prepared;
    const plan = buildPlan(
      {
        onnxPath: converted?.path ?? this.#path,
        enginePath: this.#staged.stagedPath(this.#name),
        graphTypes: conversion === 'none' ? graphTypes(model) : typesAfter(conversion),
        profiles,
        exports: exportPaths(this.#staged.folder),
      },
      this.#options,
    );
    const { argv, warnings } = renderPlan(plan, toolchain.version);
    const run = await runEngine(
      toolchain,
      {
        argv,
        logPath: this.#staged.stagedPath(LOG_NAME),
        exports: exportPaths(this.#staged.folder),
        round: 0,
        name: basename(this.#path),
        logName: basename(logPath(this.#outputPath)),
        firstStage: 'parse',
        stageNames: new Map([
          ['parse', 'parse'],
          ['build', 'build'],
          ['warm-up', 'measure'],
          ['measure', 'measure'],
        ]),
      },
      this.#options,
      this.#stages,
    );
    return { run, argv, warnings };
  }

  /** Further fresh processes, which load the engine. */
  async #measureAgain(): Promise<readonly EngineRun[]> {
    const { toolchain } = this.#prepared;
    const count = (this.#options.measure ?? true) ? (this.#options.processes ?? ENGINE_DEFAULTS.processes) : 1;
    const runs: EngineRun[] = [];
    for (let round = 1; round < count; round++) {
      const folder = this.#staged.stagedPath(`process-${round}`);
      mkdirSync(folder);
      const exports = exportPaths(folder);
      const { profiles } = this.#prepared;
      const shapes = (profiles[0]?.inputs ?? []).map(({ name, opt }) => ({ name, dims: opt }));
      const plan = loadPlan(this.#staged.stagedPath(this.#name), exports, shapes, this.#options, this.#options);
      // The profile of layers is that of the first process.
      this.#log = join(folder, LOG_NAME);
      const { argv } = renderPlan({ ...plan, exports: undefined, exportTimes: exports.times }, toolchain.version);
      runs.push(
        await runEngine(
          toolchain,
          {
            argv,
            logPath: this.#log,
            exports,
            round,
            name: this.#name,
            logName: basename(logPath(this.#outputPath)),
            firstStage: 'measure again',
            stageNames: new Map(),
          },
          this.#options,
          this.#stages,
        ),
      );
    }
    this.#log = this.#staged.stagedPath(LOG_NAME);
    return runs;
  }

  async #describe(
    runs: readonly EngineRun[],
    argv: readonly string[],
    converted: ConvertedGraph | undefined,
    earlier: EarlierEngine | undefined,
    warnings: readonly string[],
  ): Promise<TensorRtReport> {
    const { model, toolchain, profiles } = this.#prepared;
    const inputs = inputSpecs(model);
    const shapes = inputs.map((input) => ({
      name: input.name,
      dims: profiles[0]?.inputs.find(({ name }) => name === input.name)?.opt ?? (input.shape ?? []).map(Number),
    }));
    const facts: EngineFacts = {
      model: await this.#hashes.model(this.#path, model.source?.externalPaths() ?? []),
      engine: await this.#hashes.file(this.#staged.stagedPath(this.#name)),
      toolchain,
      argv,
      inputs: engineTensors(inputs),
      outputs: engineTensors(outputSpecs(model)),
      profiles,
      batchSize: batchOf(shapes),
      shapes,
      built: true,
      ...(converted ? { converted: converted.conversion } : {}),
    };
    return describeEngine(facts, runs, earlier, warnings, this.#options);
  }

  /** The log beside the engine, over an earlier one. A disk without room for it has none for the engine either. */
  #keepLog(): void {
    try {
      renameSync(this.#log, logPath(this.#target));
    } catch {
      // trtexec was not started, or the log is in its place.
    }
  }
}

const LOG_NAME = 'trtexec.log';

/** What trtexec prints of the size is rounded to six digits. */
const SIZE_TOLERANCE = 1e-4;

/** The engine is there, and as large as trtexec said. @throws SO6003 */
function checkEngine(path: string, { log }: EngineRun, label: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const expected = log.engineMiB === undefined ? undefined : log.engineMiB * 2 ** 20;
  if (size > 0 && (expected === undefined || Math.abs(size - expected) <= Math.max(64, expected * SIZE_TOLERANCE)))
    return;
  throw new ServeOptError('SO6003', `trtexec wrote ${size === 0 ? 'no engine' : 'half an engine'}`, {
    why:
      expected === undefined
        ? 'it said PASSED, and the file is empty or missing'
        : `the file has ${size} bytes, and the engine has about ${Math.round(expected)}`,
    location: { file: label },
  });
}
