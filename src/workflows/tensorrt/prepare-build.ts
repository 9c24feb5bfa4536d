/** What can be known of a build before it takes minutes. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import { inferTypes } from '../../ops/infer-types.js';
import type { EngineProfile } from '../../report/tensorrt-types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { checkCalibrationCache } from '../../targets/tensorrt/calibration-cache.js';
import { type GraphTypes, TENSORRT_DEFAULTS } from '../../targets/tensorrt/plan.js';
import { type NeededConversion, neededConversion } from '../../targets/tensorrt/precision-flags.js';
import { graphTypes, type PreflightProblem, preflight } from '../../targets/tensorrt/preflight.js';
import { renderPlan } from '../../targets/tensorrt/render-plan.js';
import type { InContext } from '../options.js';
import { checkDataPaths } from '../preflight/data.js';
import { checkModel } from '../preflight/model.js';
import type { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { buildPlan } from './engine-plan.js';
import { engineProfiles } from './engine-profiles.js';
import type { TensorRtOptions } from './tensorrt-options.js';
import type { Toolchain } from './toolchain.js';

/** What is known of a model before anything is built. */
export interface PreparedBuild {
  readonly model: Model;
  readonly toolchain: Toolchain;
  readonly profiles: readonly EngineProfile[];
  readonly conversion: NeededConversion;
  readonly warnings: readonly string[];
}

/** Reads the model and watches it while it is used. */
export async function withModel<T>(
  path: string,
  options: InContext<TensorRtOptions>,
  stages: Stages,
  use: (model: Model, inputs: WatchedInputs) => Promise<T>,
): Promise<T> {
  checkDataPaths(options.dataPath);
  const inputs = new WatchedInputs(options.dataPath);
  stages.start('check');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  inputs.add(model);
  try {
    return await inputs.during(options.signal, () => use(model, inputs));
  } finally {
    model.source?.close();
  }
}

/** Everything that can be known to fail before minutes of building. */
export function prepareBuild(
  model: Model,
  path: string,
  toolchain: Toolchain,
  options: TensorRtOptions,
): PreparedBuild {
  const warnings = [...checkModel(model, options)];
  inferTypes(model);
  const { version } = toolchain;
  const { calibrationCachePath, precision = TENSORRT_DEFAULTS.precision } = options;
  if (calibrationCachePath !== undefined) {
    const head = readHead(calibrationCachePath);
    checkCalibrationCache(basename(calibrationCachePath), head, version);
  }
  const types = graphTypes(model);
  const hasCache = calibrationCachePath !== undefined;
  const conversion = neededConversion(precision, version, types, options.dataPath !== undefined, hasCache);
  if (precision === 'int8' && conversion === 'none' && !types.int8Pairs && !hasCache) {
    warnings.push(
      'INT8 without samples: trtexec makes the ranges up, so times are right and results are not. Add --data samples.npz.',
    );
  }
  if (options.dataPath !== undefined && conversion !== 'int8' && conversion !== 'fp8')
    warnings.push('--data has no effect: nothing is calibrated in this case.');
  if (options.stripWeights && (options.measure ?? true)) {
    warnings.push(
      'An engine without weights may not run before it is refitted: add --no-measure if measuring it fails.',
    );
  }
  const profiles = engineProfiles(inputSpecs(model), options.dims ?? new Map(), options.profiles ?? [], basename(path));
  const problems = preflight(model, version, {
    hasPlugins: (options.plugins ?? []).length > 0,
    fileBytes: statSync(path).size,
  });
  const refused = problems.filter(({ severity }) => severity === 'refused');
  if (refused.length > 0 && !options.skipPreflight) throw notSupported(refused, path);
  const shown = options.skipPreflight ? problems : problems.filter(({ severity }) => severity === 'warning');
  warnings.push(...shown.map((problem) => problemText(problem, path)));
  // Refused now rather than after a conversion that takes minutes.
  const facts = { onnxPath: path, enginePath: path, graphTypes: types, profiles, exports: undefined };
  renderPlan(buildPlan(facts, options), version);
  return { model, toolchain, profiles, conversion, warnings };
}

function readHead(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const head = new Uint8Array(200);
      return Buffer.from(head.subarray(0, readSync(fd, head))).toString('latin1');
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new ServeOptError('SO2002', `Cannot read the calibration cache "${path}"`, {
      location: { file: path },
      cause,
    });
  }
}

function notSupported(refused: readonly PreflightProblem[], path: string): ServeOptError {
  const [first, ...others] = refused as [PreflightProblem, ...PreflightProblem[]];
  const more = others.slice(0, 3).map((problem) => problemText(problem, path, false));
  return new ServeOptError('SO5203', capital(first.message), {
    ...(others.length > 0
      ? {
          why: `there ${others.length === 1 ? 'is one more problem' : `are ${others.length} more problems`}: ${more.join('; ')}`,
        }
      : {}),
    hint: `${first.mend.replaceAll('MODEL', path)}; --skip-preflight builds anyway`,
    location: first.node === undefined ? { file: path } : { file: path, node: first.node },
  });
}

function problemText({ node, message, mend }: PreflightProblem, path: string, full = true): string {
  const text = node === undefined ? message : `"${node}": ${message}`;
  return full ? `${capital(text)} (${mend.replaceAll('MODEL', path)}).` : text;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `model.onnx` becomes `model.plan`, or `model.fp16.plan`. */
export function enginePath(path: string, { precision = 'model' }: TensorRtOptions): string {
  const stem = join(dirname(path), basename(path, extname(path)));
  return precision === 'model' ? `${stem}.plan` : `${stem}.${precision}.plan`;
}

/** `model.onnx` becomes `model.fp16.onnx`. */
export function withTag(path: string, tag: string): string {
  return join(dirname(path), `${basename(path, extname(path))}.${tag}.onnx`);
}

/** Types in a graph after a conversion. */
export function typesAfter(conversion: NeededConversion): GraphTypes {
  return {
    float16: conversion === 'fp16',
    bfloat16: conversion === 'bf16',
    int8Pairs: conversion === 'int8',
    float8Pairs: conversion === 'fp8',
  };
}
