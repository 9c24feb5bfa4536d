import { dataTypeName } from '../../tensor/dtype.js';
import { elementCount, type Tensor, typedView } from '../../tensor/tensor.js';
import { Cells } from './cells.js';
import { filledTensor } from './computed-tensor.js';
import { type KernelContext, refuse } from './kernel-context.js';
import { type CellArray, CopyPlan, type StridedView } from './strided-view.js';

/** Writes cells `[from, from + count)` of the result to the start of `target`. */
export type CellFill = (target: CellArray, from: number, count: number) => void;

/** Refuses results that are too large: a kernel's context, or one that allows all. */
export type SizeLimit = Pick<KernelContext, 'allow'>;

/** How elements of this type are moved; refuses types whose packing is not known. */
export function cellsFor(tensor: Tensor): Cells {
  return Cells.of(tensor.dataType) ?? refuse(`elements of ${dataTypeName(tensor.dataType)} cannot be taken apart`);
}

/**
 * A tensor whose cells `open()` computes from `sources` in parts, each time it is read: see `filledTensor`. Whatever can fail must be
 * checked before.
 */
export function movedTensor(
  context: SizeLimit,
  cells: Cells,
  dims: readonly number[],
  sources: readonly Tensor[],
  open: () => CellFill,
): Tensor {
  context.allow(cells.dataType, dims);
  const { words } = cells;
  if (!cells.areBytes) {
    const count = elementCount(dims) * words;
    const target = cells.make(count);
    if (count > 0) open()(target, 0, count);
    return cells.tensor(dims, target);
  }
  return filledTensor(
    cells.dataType,
    dims,
    sources,
    () => {
      const fill = open();
      return (target, from, count) => fill(cellView(target, cells), from * words, count * words);
    },
    dims.at(-1) || 1,
  );
}

function cellView(bytes: Uint8Array, cells: Cells): CellArray {
  const { BYTES_PER_ELEMENT } = cells.make(0);
  if (BYTES_PER_ELEMENT === 1) return bytes;
  return BYTES_PER_ELEMENT === 2 ? typedView(Uint16Array, bytes) : typedView(Uint32Array, bytes);
}

/** A view of `source` as a tensor of shape `dims`. Shares the bytes where the view is the whole in order. `fill` is a tensor of one element. */
export function viewedTensor(
  context: SizeLimit,
  source: Tensor,
  view: StridedView,
  dims: readonly number[],
  fill?: Tensor,
): Tensor {
  const cells = cellsFor(source);
  context.allow(source.dataType, dims);
  const plan = new CopyPlan(view, cells.words);
  if (plan.isContiguous && elementCount(dims) === source.size) return source.reshaped(dims);
  return movedTensor(context, cells, dims, [source], () => {
    const loaded = cells.load(source);
    const filling = fill && cells.load(fill);
    return (target, from, count) => plan.copy(loaded, target, from, count, filling);
  });
}
