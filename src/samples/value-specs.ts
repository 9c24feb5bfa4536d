import type { Model } from '../ir/model.js';
import { type Dim, formatType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { DataType } from '../tensor/dtype.js';
import { cacheAxis } from './cache-inputs.js';
import { inputUse, isInteger } from './input-use.js';
import { isScalar } from './scalar-values.js';
import type { ValueSpec } from './types.js';

/** The inputs a caller must feed: graph inputs without a default. */
export function inputSpecs(model: Model): ValueSpec[] {
  return model.graph.inputs.filter((value) => value.tensor === undefined && !value.sparse).map(inputSpec);
}

export function outputSpecs(model: Model): ValueSpec[] {
  return model.graph.outputs.map(baseSpec);
}

function baseSpec(value: Value): ValueSpec {
  const { type } = value;
  const isTensor = type?.kind === 'tensor';
  return {
    name: value.name,
    dataType: isTensor ? type.dataType : undefined,
    shape: isTensor ? type.shape?.map(knownDim) : undefined,
    typeText: formatType(type),
  };
}

/** Exporters write -1 (PaddlePaddle) where they mean "any size". */
function knownDim(dim: Dim): Dim {
  return typeof dim === 'number' && dim < 0 ? undefined : dim;
}

function inputSpec(value: Value): ValueSpec {
  const base = baseSpec(value);
  const cache = cacheAxis(value);
  if (cache !== undefined) return { ...base, cacheAxis: cache };
  if (base.dataType === undefined || !isInteger(base.dataType)) return base;
  const { exclusiveUpper, compared, deciding } = inputUse(value);
  const candidates = isScalar(base)
    ? deciding.filter((item) => isIn(base.dataType as number, item))
    : // Compared with one number only (padding, a mask): that number is no typical value.
      compared.length > 1 && exclusiveUpper === undefined
      ? compared
      : [];
  return {
    ...base,
    ...(exclusiveUpper === undefined ? {} : { exclusiveUpper }),
    ...(candidates.length > 0 ? { candidates } : {}),
  };
}

/** Whether an integer type holds a number. */
function isIn(dataType: number, item: number): boolean {
  const range = INTEGER_RANGES.get(dataType);
  return range === undefined || (item >= range[0] && item <= range[1]);
}

/** Those narrower than what constants are read as. */
const INTEGER_RANGES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [DataType.UINT8, [0, 255]],
  [DataType.INT8, [-128, 127]],
  [DataType.UINT16, [0, 65_535]],
  [DataType.INT16, [-32_768, 32_767]],
  [DataType.INT32, [-(2 ** 31), 2 ** 31 - 1]],
  [DataType.UINT32, [0, 2 ** 32 - 1]],
  [DataType.UINT64, [0, Number.MAX_SAFE_INTEGER]],
]);
