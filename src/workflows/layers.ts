import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import type { TransformStepReport } from '../ir/transform.js';
import { allNodes, constantTensor } from '../ir/walk.js';
import { nodeLabel } from '../passes/nodes.js';
import { WEIGHTED_OPERATORS } from '../quantize/operator-classes.js';
import type { FloatLayerReport, LayerReport } from '../report/types.js';

/** Bytes of the constants a node reads. */
export function weightBytes(node: Node): number {
  let bytes = 0;
  for (const input of node.inputs) bytes += constantTensor(input)?.byteLength ?? 0;
  return bytes;
}

/** Operators that a reader of a report expects to see quantized: the heavy ones, and lookups in tables of weights. */
const REPORTED: ReadonlySet<string> = new Set([...WEIGHTED_OPERATORS, 'Gather', 'Attention']);

/** A layer this small is not worth a word. */
const WORTH_MENTIONING_BYTES = 256;

/** The layers of the original that a step quantized, and those it left in float with the reason it gave. */
export function describeLayers(
  original: Model,
  step: TransformStepReport,
): { readonly quantized: readonly LayerReport[]; readonly leftInFloat: readonly FloatLayerReport[] } {
  const reasons = new Map(step.refusals.map(({ node, opType, reason }) => [`${opType} ${node}`, reason]));
  const quantized: LayerReport[] = [];
  const leftInFloat: FloatLayerReport[] = [];
  for (const node of allNodes(original)) {
    if (!REPORTED.has(node.opType)) continue;
    const layer = { name: nodeLabel(node), opType: node.opType, weightBytes: weightBytes(node) };
    const reason = reasons.get(`${node.opType} ${layer.name}`);
    if (reason !== undefined) leftInFloat.push({ ...layer, reason });
    else if (step.changed > 0 && layer.weightBytes >= WORTH_MENTIONING_BYTES) quantized.push(layer);
  }
  return { quantized, leftInFloat };
}
