import { ServeOptError } from '../../errors.js';
import { STRONGLY_TYPED_SINCE } from './precision-flags.js';
import { formatVersion, isAtLeast, parseBannerVersion, type TensorRtVersion } from './version.js';

/**
 * Refuses a calibration cache that a version cannot use. The first line of a cache names the TensorRT that made it:
 * `TRT-8601-EntropyCalibration2`. TensorRT 11 has no calibration; another version than the one that made it may fuse other
 * layers, so that tensors have no scale and stay in float without a word.
 * @param head the beginning of the file
 * @throws SO1002, SO4001 for what is not a cache
 */
export function checkCalibrationCache(name: string, head: string, version: TensorRtVersion): void {
  const hint = 'place the scales in the graph instead: --precision int8 --data samples.npz without --calib';
  const [, digits, rest] = /^TRT-(\d{4,6})-(\w+)/.exec(head) ?? [];
  if (digits === undefined || rest === undefined) {
    throw new ServeOptError('SO4001', `"${name}" is not a calibration cache`, {
      why: 'it does not begin with TRT-VERSION-METHOD',
      hint,
      location: { file: name },
    });
  }
  if (isAtLeast(version, STRONGLY_TYPED_SINCE)) {
    throw new ServeOptError(
      'SO1002',
      `TensorRT ${formatVersion(version)} does not take the calibration cache "${name}"`,
      {
        why: 'calibration was removed in TensorRT 11: scales belong into the graph as Quantize/Dequantize pairs',
        hint,
      },
    );
  }
  const made = parseBannerVersion(digits);
  if (made && made.major === version.major && made.minor === version.minor) return;
  throw new ServeOptError('SO1002', `The calibration cache "${name}" was made by another TensorRT`, {
    why: `it is of ${made === undefined ? digits : formatVersion(made)}, and this is ${formatVersion(version)}: layers fuse differently, and tensors without a scale stay in float`,
    hint,
  });
}
