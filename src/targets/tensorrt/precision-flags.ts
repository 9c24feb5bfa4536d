import { ServeOptError } from '../../errors.js';
import type { TensorRtConversionMode, TensorRtPrecision } from '../../report/tensorrt-types.js';
import { flagRow, flagState } from './flag-support.js';
import type { BuildPlan, GraphTypes } from './plan.js';
import type { TrtexecFlagName } from './trtexec-flags.js';
import { formatVersion, isAtLeast, type TensorRtVersion } from './version.js';

/**
 * From this version on every network is strongly typed: the graph alone decides in which type a layer computes, and there
 * are no options for it. Source: TensorRT 11 migration guide, "Migrating from Weak Typing to Strong Typing".
 */
export const STRONGLY_TYPED_SINCE = '11.0';

type PrecisionFlag = Extract<TrtexecFlagName, '--int8' | '--fp8' | '--fp16' | '--bf16' | '--best'>;

/** From this version on the parser imports FLOAT8E4M3FN. Source: docs/operators.md of onnx-tensorrt. */
const FLOAT8_SINCE = '9.0';

/** Options of weakly typed builds by precision. */
const FLAGS: Readonly<Record<Exclude<TensorRtPrecision, 'model'>, readonly PrecisionFlag[]>> = {
  fp16: ['--fp16'],
  bf16: ['--bf16'],
  // Layers without an INT8 kernel need not fall back to FP32.
  int8: ['--int8', '--fp16'],
  fp8: ['--fp8', '--fp16'],
  best: ['--best'],
};

/** Options of weakly typed builds that types in the graph need. */
const TYPE_FLAGS: readonly (readonly [keyof GraphTypes, PrecisionFlag])[] = [
  ['int8Pairs', '--int8'],
  ['float8Pairs', '--fp8'],
  ['float16', '--fp16'],
  ['bfloat16', '--bf16'],
];

/** What a precision needs to be done before TensorRT gets the graph. */
export type NeededConversion = 'none' | TensorRtConversionMode;

/**
 * The conversion that a precision takes with a version. @param hasData whether there are samples to calibrate with
 * @throws SO1002 for a precision that cannot be had
 */
export function neededConversion(
  precision: TensorRtPrecision,
  version: TensorRtVersion,
  types: GraphTypes,
  hasData: boolean,
  hasCache: boolean,
): NeededConversion {
  const typed = isAtLeast(version, STRONGLY_TYPED_SINCE);
  const shown = formatVersion(version);
  const refuse = (why: string, hint: string): ServeOptError =>
    new ServeOptError('SO1002', `--precision ${precision} is not possible with TensorRT ${shown}`, { why, hint });
  switch (precision) {
    case 'model':
      return 'none';
    case 'fp16':
      return typed && !types.float16 ? 'fp16' : 'none';
    case 'int8':
      if (types.int8Pairs || (hasCache && !typed)) return 'none';
      if (hasData) return 'int8';
      if (!typed) return 'none';
      throw refuse(
        'it takes INT8 only from Quantize/Dequantize pairs, and placing them takes samples',
        'add --data samples.npz',
      );
    case 'best':
      if (!typed) return 'none';
      throw refuse(
        `TensorRT ${shown} builds strongly typed engines: the graph decides the precision of each layer`,
        'use --precision fp16, or --precision int8 --data samples.npz',
      );
    case 'bf16':
      if (typed) return types.bfloat16 ? 'none' : 'bf16';
      if (flagState('--bf16', version) === 'taken') return 'none';
      throw refuse(`BF16 came with TensorRT ${flagRow('--bf16')?.since}`, 'use --precision fp16');
    case 'fp8':
      if (!isAtLeast(version, FLOAT8_SINCE))
        throw refuse(`FP8 came with TensorRT ${FLOAT8_SINCE}`, 'use --precision int8 --data samples.npz');
      if (types.float8Pairs) return 'none';
      if (hasData) return 'fp8';
      // Without pairs the option has no effect: TensorRT has no implicit FP8.
      throw refuse(
        'it takes FP8 only from Quantize/Dequantize pairs, and placing them takes samples',
        'add --data samples.npz',
      );
  }
}

/** Options that give a weakly typed build its precision; none where the graph alone decides. */
export function precisionFlags(
  { precision, graphTypes }: Pick<BuildPlan, 'precision' | 'graphTypes'>,
  version: TensorRtVersion,
): readonly TrtexecFlagName[] {
  if (isAtLeast(version, STRONGLY_TYPED_SINCE)) return [];
  const taken = TYPE_FLAGS.filter(([type, flag]) => graphTypes[type] && flagState(flag, version) === 'taken');
  const needed = taken.map(([, flag]) => flag);
  if (precision !== 'model') return [...new Set([...FLAGS[precision], ...needed])];
  // The graph as it is: strong typing where there is such an option, else what its types need.
  const isTyped = needed.length > 0 && flagState('--stronglyTyped', version) === 'taken';
  return isTyped ? ['--stronglyTyped'] : needed;
}
