import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { TransformStepReport } from '../../ir/transform.js';
import { allNodes } from '../../ir/walk.js';
import { nodeLabel } from '../../passes/nodes.js';
import { constantOperand } from '../../quantize/constant-operand.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';
import type { FloatLayerReport, LayerReport } from '../../report/types.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Bytes of the constants a node reads. */
export function weightBytes(node: Node): number {
  return constantsOf(node).reduce((bytes, tensor) => bytes + tensor.byteLength, 0);
}

/** The constants a node reads, also behind a Transpose. */
function constantsOf(node: Node): Tensor[] {
  const tensors = node.inputs.map((_, slot) => constantOperand(node, slot)?.tensor);
  return tensors.filter((tensor) => tensor !== undefined);
}

/** Operators that a reader of a report expects to see quantized: the heavy ones, and lookups in tables of weights. */
const REPORTED: ReadonlySet<string> = new Set([...WEIGHTED_OPERATORS, 'Gather', 'Attention']);

/** A layer this small is not worth a word. */
const WORTH_MENTIONING_BYTES = 256;

/** Why a layer that no pass spoke of is as it was. */
const UNTOUCHED = new Map([
  [
    'Gather',
    'a lookup has no arithmetic that INT8 could speed up; --mode dynamic quantizes large tables to make them smaller',
  ],
]);

/**
 * The layers of the original that a conversion took to another type, and those it left in float with the reason it gave.
 * What counts is the result: a node that still reads the very weights it read before was left, whoever says what.
 * @param weightTypes of the weights that the conversion takes
 */
export function describeLayers(
  original: Model,
  result: Model,
  step: TransformStepReport,
  weightTypes: readonly DataTypeCode[] = [DataType.FLOAT],
): { readonly quantized: readonly LayerReport[]; readonly leftInFloat: readonly FloatLayerReport[] } {
  const reasons = new Map(step.refusals.map(({ node, opType, reason }) => [`${opType} ${node}`, reason]));
  const kept = new Map<string, Node>();
  for (const node of allNodes(result))
    if (REPORTED.has(node.opType)) kept.set(`${node.opType} ${nodeLabel(node)}`, node);
  const quantized: LayerReport[] = [];
  const leftInFloat: FloatLayerReport[] = [];
  for (const node of allNodes(original)) {
    if (!REPORTED.has(node.opType)) continue;
    const layer = { name: nodeLabel(node), opType: node.opType, weightBytes: weightBytes(node) };
    const key = `${node.opType} ${layer.name}`;
    const weights = largeWeights(node, weightTypes);
    const now = new Set(kept.has(key) ? largeWeights(kept.get(key) as Node, weightTypes) : []);
    const untouched = weights.some((tensor) => now.has(tensor));
    const reason = reasons.get(key) ?? (untouched ? (UNTOUCHED.get(node.opType) ?? 'no pass matched it') : undefined);
    if (reason !== undefined) leftInFloat.push({ ...layer, reason });
    else if (weights.length > 0) quantized.push(layer);
  }
  return { quantized, leftInFloat };
}

/** The constant inputs of a node that are worth a word, of some types. */
function largeWeights(node: Node, types: readonly DataTypeCode[]): Tensor[] {
  return constantsOf(node).filter(
    ({ dataType, byteLength }) => types.includes(dataType) && byteLength >= WORTH_MENTIONING_BYTES,
  );
}
