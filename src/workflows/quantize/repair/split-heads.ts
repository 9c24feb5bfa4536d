import { splitHead } from '../../../passes/quantize/repair/split-head.js';
import { planStatic } from '../../../quantize/plan.js';
import { headGroups } from '../../../quantize/repair/head-groups.js';
import { markParts, quantizedLayers } from '../../../quantize/repair/quantized-layer.js';
import { plural } from '../../../report/format.js';
import type { RepairStep } from './repair-state.js';

/**
 * Gives runs of channels of what leaves the model scales of their own, where they differ: boxes beside scores. Of convolutions that are
 * INT8: one that would lose a channel stays in FP32, which no split is better than.
 */
export const splitHeads: RepairStep = {
  name: 'head split',
  efforts: ['medium', 'high'],
  async propose({ model: before, ranges, quantized }) {
    const model = before.clone();
    const integer = new Set(quantizedLayers(before, quantized).map(({ layer }) => layer.node.output().name));
    const heads = [...planStatic(model).heads].filter(([node]) => integer.has(node.output().name));
    if (heads.length === 0) return 'no INT8 convolution writes an output of the model';
    let parts = 0;
    let split = 0;
    for (const [node, value] of heads) {
      const power = ranges.get(value.name)?.channelPower;
      const starts = power && headGroups(power);
      const made = starts && splitHead(node, starts);
      if (!made) continue;
      markParts(made);
      parts += made.length;
      split++;
    }
    if (split === 0) return `${plural(heads.length, 'head')} looked at: their channels are of one size`;
    return { model, equivalent: true, what: `${plural(split, 'head')} in ${parts} parts with a scale each` };
  },
};
