import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { quoteBytes, quoteRaw } from './names.js';
import { printTensorType } from './print-type.js';
import { elementForm, formatElements, isReal, literalsPerElement, nansAreCanonical } from './tensor-elements.js';

/** `float[2] name = {1.0,2.0}`. Beyond `maxElements` elements the rest is `...`, which does not parse. */
export function printTensor(tensor: Tensor, name: string, maxElements: number): string {
  const label = name === '' ? '' : ` ${name} =`;
  return `${printTensorType(tensor.dataType, tensor.dims)}${label} {${printElements(tensor, maxElements)}}`;
}

function printElements(tensor: Tensor, maxElements: number): string {
  const form = elementForm(tensor.dataType);
  const shown = Math.min(elementCount(tensor.dims), maxElements);
  const elided = shown < elementCount(tensor.dims);
  if (form === 'string') {
    const texts = tensor.stringElements().slice(0, shown).map(quoteBytes);
    return [...texts, ...(elided ? ['...'] : [])].join(',');
  }
  if (elided) return form === 'bytes' ? '...' : [...firstElements(tensor, shown), '...'].join(',');
  const bytes = tensor.bytes();
  const exact = form !== 'bytes' && (!isReal(tensor.dataType) || nansAreCanonical(tensor.dataType, bytes));
  if (!exact) return quoteRaw(bytes);
  return formatElements(tensor.dataType, bytes, shown * literalsPerElement(tensor.dataType)).join(',');
}

/** Reads no more of a large tensor than its first piece, which bounds what is shown of it. */
function firstElements(tensor: Tensor, count: number): string[] {
  if (count === 0) return [];
  for (const piece of tensor.data.chunks()) {
    return formatElements(tensor.dataType, piece, count * literalsPerElement(tensor.dataType));
  }
  return [];
}
