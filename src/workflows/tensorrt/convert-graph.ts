/** The conversion that TensorRT is not told to make: types in the graph, before it gets it. */
import { ServeOptError } from '../../errors.js';
import type { TensorRtConversion, TensorRtConversionMode } from '../../report/tensorrt-types.js';
import type { QuantizeReport } from '../../report/types.js';
import { isAtLeast, type TensorRtVersion } from '../../targets/tensorrt/version.js';
import type { InContext } from '../options.js';
import { quantizeModel } from '../quantize-model.js';
import type { TensorRtOptions } from './tensorrt-options.js';

/** INT8 constants can be imported from this version on; before, weights stay in FP32 in front of a QuantizeLinear. */
export const INT8_CONSTANTS_SINCE = '10.0';

export interface ConvertedGraph {
  readonly path: string;
  readonly conversion: TensorRtConversion;
  readonly warnings: readonly string[];
}

/** Converts, checks against the original in ONNX Runtime, and writes to `outputPath`. Errors as `quantizeModel` */
export async function convertGraph(
  path: string,
  outputPath: string,
  mode: TensorRtConversionMode,
  version: TensorRtVersion,
  options: InContext<TensorRtOptions>,
): Promise<ConvertedGraph> {
  const floatWeights = mode === 'int8' && !isAtLeast(version, INT8_CONSTANTS_SINCE);
  const report = await quantizeModel(
    path,
    {
      outputPath,
      mode: mode === 'int8' ? 'static' : mode,
      ...(mode === 'fp16' ? {} : { for: 'tensorrt' as const }),
      // As NVIDIA's own quantizer has it: FLOAT8 covers the range of all channels with one scale.
      ...(mode === 'fp8' ? { perTensor: true } : {}),
      ...(floatWeights ? { floatWeights } : {}),
      // Scales and pairs take some bytes, and weights in FP32 do not shrink.
      maxGrowth: 'none',
      ...(options.dataPath === undefined ? {} : { dataPath: options.dataPath }),
      ...(options.samples === undefined ? {} : { samples: options.samples }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.allowLinks === undefined ? {} : { allowLinks: options.allowLinks }),
      ...(options.allowInvalid === undefined ? {} : { allowInvalid: options.allowInvalid }),
      // Samples have sizes of their own.
      ...(options.dims === undefined || options.dataPath !== undefined
        ? {}
        : { dims: new Map([...options.dims].map(([name, { min }]) => [name, min])) }),
    },
    {
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    },
  );
  if (report.mode === 'none') {
    throw new ServeOptError('SO3101', `Nothing in the model can be converted to ${mode.toUpperCase()}`, {
      why: report.leftInFloat[0]?.reason ?? 'it has no layers with weights',
      hint: 'leave --precision out',
    });
  }
  return { path: outputPath, conversion: describe(report, mode), warnings: report.warnings };
}

function describe(report: QuantizeReport, mode: TensorRtConversionMode): TensorRtConversion {
  const { comparison } = report.verification;
  const noises = comparison?.outputs.flatMap(({ sqnrDb }) => sqnrDb ?? []) ?? [];
  const agreement = comparison?.outputs.find(({ top1Agreement }) => top1Agreement !== undefined)?.top1Agreement;
  return {
    mode,
    model: report.output,
    layers: report.quantized.length,
    ...(report.calibration
      ? { calibration: { source: report.calibration.source, samples: report.calibration.samples } }
      : {}),
    ...(noises.length === 0 ? {} : { worstSqnrDb: Math.min(...noises) }),
    ...(agreement === undefined ? {} : { sameClass: agreement.value }),
  };
}
