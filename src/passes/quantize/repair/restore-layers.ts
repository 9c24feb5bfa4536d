import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import type { TransformResult } from '../../../ir/transform.js';
import { constantTensor } from '../../../ir/walk.js';
import { WEIGHTED_OPERATORS } from '../../../quantize/operator-classes.js';
import { dropIfUnused, replaceConstantInput } from '../../constants.js';
import { outputKey } from '../../kept-nodes.js';

/**
 * Takes back what a repair did to constants so that INT8 of a whole model is closer: weights of layers that stay in FP32 were rounded for
 * nothing there, and biases make up for errors that the model does not have without INT8 in those layers. Weights of other layers stay rounded.
 * @param reference the same graph before its weights were rounded and its biases corrected
 * @param kept layers that stay in FP32, by first output
 */
export function restoreLayers(
  model: Model,
  reference: Model,
  kept: ReadonlyMap<string, string>,
): Required<Pick<TransformResult, 'changed' | 'notes'>> {
  const originals = new Map([...reference.graph.nodes].map((node) => [outputKey(node), node]));
  let [changed, biases] = [0, 0];
  for (const node of model.graph.nodes) {
    const original = originals.get(outputKey(node));
    if (!original) continue;
    for (const slot of node.inputs.keys()) {
      const isWeight = WEIGHTED_OPERATORS.has(node.opType) && slot < 2;
      if ((isWeight && !kept.has(outputKey(node))) || !restoreInput(node, original, slot)) continue;
      changed++;
      if (!isWeight) biases++;
    }
  }
  const notes = biases === 0 ? [] : ['corrected biases were taken back: they were made for INT8 in every layer'];
  return { changed, notes };
}

function restoreInput(node: Node, original: Node, slot: number): boolean {
  const [now, before] = [node.input(slot), original.input(slot)];
  const [tensor, old] = [constantTensor(now), constantTensor(before)];
  if (!now || !tensor || tensor === old) return false;
  if (old) replaceConstantInput(node, slot, old);
  else if (before) return false;
  else {
    node.setInput(slot, undefined);
    dropIfUnused(now);
  }
  return true;
}
