/** What a fold may store, and how a constant takes the place of a node. */
import type { Node } from '../../ir/node.js';
import { tensorType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { numericDims } from '../../ops/infer/elements.js';
import { isDeterministic } from '../../ops/traits.js';
import { formatBytes } from '../../tensor/byte-size.js';
import { rawByteLength } from '../../tensor/dtype.js';
import { elementCount, type Tensor } from '../../tensor/tensor.js';
import { addConstant, addConstantNode } from '../constants.js';
import type { RewriteContext } from '../engine/rewrite.js';
import { initializerFileBytes, nodeFileBytes } from '../engine/size-ledger.js';
import { dataTypeOf, shapeOf } from '../types.js';

/** No single result may be larger, whatever growth is allowed: protobuf ends at 2 GiB. */
const LARGEST_RESULT_BYTES = 2 ** 30;
/** Of the memory that is allowed, one result. What a kernel works with, and the model and its runs, take the rest. */
const RESULT_SHARE = 1 / 4;

/** Results that cost no more than this beside the node they replace are written out whatever the budget says: sizes, axes, scalars. */
const SMALL_BYTES = 64;

/** Folding these would undo a quantization: the result is larger, and the integer kernels no longer see a pair. */
const QUANTIZERS: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear']);

/** Why folding does not touch a node, whatever its inputs are; undefined when it may. */
export function whyNotFolded(node: Node): string | undefined {
  if (QUANTIZERS.has(node.opType)) return 'folding would undo a quantization';
  const pinned = node.outputs.find((output) => output?.pinned);
  if (pinned) return `"${pinned.name}" is named by parts of the model that are kept as they are`;
  if (isDeterministic(node)) return undefined;
  return 'it is not deterministic, or its operator is unknown';
}

/** False for what folding never touches, whatever its inputs are. */
export function canFold(node: Node): boolean {
  return !node.is('Constant') && node.outputs.length > 0 && whyNotFolded(node) === undefined;
}

/** Why a node may not be folded to results of these sizes, or how many bytes the file gains. Sizes not known count as none. */
export function growth(
  node: Node,
  resultBytes: readonly (number | undefined)[],
  context: RewriteContext,
): number | string {
  let gained = -nodeFileBytes(node);
  for (const [index, bytes] of resultBytes.entries()) {
    const output = node.outputs[index];
    if (bytes === undefined || !output) continue;
    if (bytes > LARGEST_RESULT_BYTES)
      return `${node.opType} would produce ${formatBytes(bytes)}, which is too large for a constant`;
    const largest = largestResult(context);
    if (bytes > largest)
      return `${node.opType} would produce ${formatBytes(bytes)}; the limit for a constant is ${formatBytes(largest)} (--mem)`;
    gained += bytes + output.name.length + 20;
  }
  for (const input of new Set(node.inputs)) {
    const tensor = input && context.constant(input);
    if (input && tensor && readOnlyBy(input, node)) gained -= initializerFileBytes(input.name, tensor);
  }
  return mayCost(gained, context)
    ? gained
    : `the model would become ${gained} bytes larger, beyond the growth limit (--max-growth)`;
}

/** Whether the file may gain so many bytes by a fold. */
export function mayCost(bytes: number, context: RewriteContext): boolean {
  return bytes <= SMALL_BYTES || context.mayGrow(bytes);
}

/** Whether a single constant may be so large. */
export function isStorable(bytes: number, context: RewriteContext): boolean {
  return bytes <= largestResult(context);
}

/** Bytes of a value whose type says its size. */
export function knownBytes(value: Value | undefined): number | undefined {
  const dims = numericDims(shapeOf(value));
  const dataType = dataTypeOf(value);
  return dims && dataType !== undefined ? rawByteLength(dataType, elementCount(dims)) : undefined;
}

/** Bytes that a single constant may have. */
export function largestResult({ memoryBytes }: RewriteContext): number {
  return Math.min(LARGEST_RESULT_BYTES, RESULT_SHARE * memoryBytes);
}

function readOnlyBy(value: Value, node: Node): boolean {
  if (value.isGraphOutput || value.pinned || value.isGraphInput) return false;
  for (const use of value.uses) if (use.node !== node) return false;
  return true;
}

/** Lets constants stand for the outputs of a node, which goes. Outputs of a graph get a Constant node, which is given back. */
export function replaceByConstants(node: Node, results: readonly (Tensor | undefined)[]): Node | undefined {
  let made: Node | undefined;
  for (const [index, tensor] of results.entries()) {
    const output = node.outputs[index];
    if (!tensor || !output) continue;
    if (output.isGraphOutput) {
      node.setOutput(index, undefined);
      made = addConstantNode(node.graph, output, tensor, node);
    } else if (output.uses.size > 0) {
      const constant = addConstant(node.graph, output.name, tensor, node);
      constant.type = tensorType(tensor.dataType, tensor.dims);
      output.replaceUsesWith(constant);
    }
  }
  return made;
}
