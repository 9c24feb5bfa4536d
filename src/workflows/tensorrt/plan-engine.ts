import type { TensorRtPlanReport } from '../../report/tensorrt-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import type { NeededConversion } from '../../targets/tensorrt/precision-flags.js';
import { graphTypes } from '../../targets/tensorrt/preflight.js';
import { renderPlan } from '../../targets/tensorrt/render-plan.js';
import { formatVersion, isAtLeast } from '../../targets/tensorrt/version.js';
import { packageVersion } from '../../version.js';
import type { InContext, WorkflowContext } from '../options.js';
import { checkOptions } from '../preflight/check-options.js';
import { Stages } from '../stages.js';
import { INT8_CONSTANTS_SINCE } from './convert-graph.js';
import { buildPlan } from './engine-plan.js';
import { enginePath, prepareBuild, typesAfter, withModel, withTag } from './prepare-build.js';
import type { TensorRtOptions } from './tensorrt-options.js';
import { plannedToolchain, type Toolchain, toolchainWords } from './toolchain.js';

/** What `buildEngine` would run. Nothing is converted, built or written. Errors as `buildEngine`, but for a missing trtexec */
export async function planEngine(
  path: string,
  given: TensorRtOptions = {},
  context: WorkflowContext = {},
): Promise<TensorRtPlanReport> {
  const options: InContext<TensorRtOptions> = { ...given, ...context };
  const ignored = checkOptions('tensorrt', options);
  const stages = new Stages(options);
  return withModel(path, options, stages, async (model) => {
    const toolchain = await plannedToolchain(options, context);
    const { profiles, conversion, warnings } = prepareBuild(model, path, toolchain, options);
    stages.end(toolchainWords(toolchain));
    const outputPath = options.outputPath ?? enginePath(path, options);
    const converted = conversion === 'none' ? undefined : withTag(path, conversion);
    const plan = buildPlan(
      {
        onnxPath: converted ?? path,
        enginePath: outputPath,
        graphTypes: conversion === 'none' ? graphTypes(model) : typesAfter(conversion),
        profiles,
        exports: undefined,
      },
      options,
    );
    const rendered = renderPlan(plan, toolchain.version);
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'tensorrt',
      version: packageVersion(),
      dryRun: true,
      tensorRtVersion: formatVersion(toolchain.version),
      commands: [
        ...(converted === undefined ? [] : [conversionCommand(path, converted, conversion, toolchain, options)]),
        toolchain.command(rendered.argv),
      ],
      profiles,
      warnings: [...ignored, ...toolchain.warnings, ...warnings, ...rendered.warnings],
      notes: [],
    };
  });
}

/** The conversion as a command of its own. */
function conversionCommand(
  path: string,
  outputPath: string,
  conversion: NeededConversion,
  { version }: Toolchain,
  { dataPath, samples }: TensorRtOptions,
): readonly string[] {
  if (conversion === 'fp16') return ['serve-opt', 'quantize', path, '--mode', 'fp16', '-o', outputPath];
  if (conversion === 'bf16')
    return ['serve-opt', 'quantize', path, '--mode', 'bf16', '--for', 'tensorrt', '-o', outputPath];
  const mode = ['--for', 'tensorrt', '--data', dataPath ?? 'samples.npz'];
  if (samples !== undefined) mode.push('--samples', String(samples));
  if (conversion === 'fp8') mode.push('--mode', 'fp8', '--per-tensor');
  // Weights that stay in FP32 do not pay for scales and pairs.
  else if (!isAtLeast(version, INT8_CONSTANTS_SINCE)) mode.push('--float-weights', '--max-growth', 'none');
  return ['serve-opt', 'quantize', path, ...mode, '-o', outputPath];
}
