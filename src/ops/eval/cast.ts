/** Cast, CastLike, BitCast. */
import { DataType, type DataTypeCode, dataTypeFromName, dataTypeName, dataTypeRow } from '../../tensor/dtype.js';
import type { RoundMode } from '../../tensor/small-float.js';
import { Tensor } from '../../tensor/tensor.js';
import { type CastOptions, elementCaster } from './cast-elements.js';
import { formatNumbers, parseNumbers } from './cast-text.js';
import { mappedTensor } from './computed-tensor.js';
import { type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { cellsFor } from './moved-tensor.js';

function cast(context: KernelContext): Tensor {
  return convert(context, context.input(0), targetType(context));
}

function castLike(context: KernelContext): Tensor {
  return convert(context, context.input(0), context.input(1).dataType);
}

/** The first version wrote the type as a word. */
function targetType(context: KernelContext): DataTypeCode {
  const word = context.string('to');
  const type = word === undefined ? context.requiredInt('to') : dataTypeFromName(word.toLowerCase());
  return type !== undefined && dataTypeRow(type) ? type : refuse(`type ${word ?? type} is unknown`);
}

function convert(context: KernelContext, source: Tensor, to: DataTypeCode): Tensor {
  const from = source.dataType;
  if (from === to) return source;
  context.allow(to, source.dims);
  if (to === DataType.STRING) return formatNumbers(source);
  if (from === DataType.STRING) return parseNumbers(source, to);
  const options: CastOptions = {
    saturate: context.int('saturate') !== 0,
    roundMode: roundMode(context.string('round_mode')),
  };
  const caster = elementCaster(from, to, options);
  if (!caster) refuse(`casting ${dataTypeName(from)} to ${dataTypeName(to)} is not supported`);
  caster.check?.(source);
  const cells = cellsFor(source);
  const targetCells = cellsFor(Tensor.of(to, [0], new Uint8Array(0)));
  if (cells.areBytes && targetCells.areBytes) return mappedTensor(to, source, caster.map);
  const loaded = cells.load(source);
  const bytes = new Uint8Array(loaded.buffer, loaded.byteOffset, loaded.byteLength);
  const target = targetCells.make(source.size * targetCells.words);
  caster.map(bytes, new Uint8Array(target.buffer), source.size);
  return targetCells.tensor(source.dims, target);
}

/** Before version 24 there was one way only. */
function roundMode(word = 'up'): RoundMode {
  return word === 'up' || word === 'down' || word === 'nearest' ? word : refuse(`round mode ${word} is unknown`);
}

function bitCast(context: KernelContext): Tensor {
  const source = context.input(0);
  const to = context.requiredInt('to');
  const bits = dataTypeRow(to)?.bits;
  if (!bits || bits !== dataTypeRow(source.dataType)?.bits)
    refuse(`${dataTypeName(source.dataType)} and ${dataTypeName(to)} differ in size`);
  return Tensor.of(to, source.dims, source.data);
}

export const castKernels: KernelTable = [
  ['Cast', cast],
  ['CastLike', castLike],
  ['BitCast', bitCast],
];
