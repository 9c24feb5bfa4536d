import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { shapeOf } from '../../types.js';
import { ownPads, padBefore, singleNumber, windowOf } from './padding.js';

/**
 * Conv(Pad(x, p), W; pads = q) = Conv(x, W; pads = p + q); the same for ConvInteger and QLinearConv, which pad with the
 * zero point of their input.
 *
 * Fires for a constant Pad of the spatial axes with zeros (with the zero point), also where the Conv has `auto_pad`, as
 * long as its sizes are known then. Several Convs may read one Pad. Refuses other modes, negative amounts, padded batch
 * or channel axes, amounts or values that are not constant, and a Pad that has other readers. Numerics: terms may be
 * added in another order. Reference: ONNX Conv-11, Pad-18.
 */
export const fusePadIntoConv = defineRewrite<object>({
  name: 'fuse-pad-into-conv',
  summary: 'Merges a Pad with zeros into the Conv, ConvInteger or QLinearConv after it.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Conv', 'ConvInteger', 'QLinearConv'],
  rules: () => ({ match: matchConv }),
});

/** By operator: slots of the weight and of the zero point of the input. */
const SLOTS: ReadonlyMap<string, { readonly weight: number; readonly zeroPoint: number | undefined }> = new Map([
  ['Conv', { weight: 1, zeroPoint: undefined }],
  ['ConvInteger', { weight: 1, zeroPoint: 2 }],
  ['QLinearConv', { weight: 3, zeroPoint: 2 }],
]);

function matchConv(node: Node, context: RewriteContext): Match {
  const slots = SLOTS.get(node.opType);
  const pad = padBefore(node, context);
  if (!slots || pad === undefined || typeof pad === 'string') return typeof pad === 'string' ? pad : undefined;
  const zeroPoint = slots.zeroPoint === undefined ? undefined : node.input(slots.zeroPoint);
  const zero = zeroPoint ? singleNumber(context.constant(zeroPoint)) : 0;
  if (pad.value !== zero) return `the Pad before it pads with ${pad.value}, not with ${zero ?? 'its zero point'}`;
  const window = windowOf(node, shapeOf(node.input(slots.weight)));
  const own = window && ownPads(node, window);
  if (own?.length !== 2 * pad.begins.length) return 'its own padding is unknown';
  const pads = [...pad.begins, ...pad.ends].map((amount, at) => amount + (own[at] as number));
  return {
    nodes: [pad.node, node],
    apply() {
      node.setInput(0, pad.input);
      node.removeAttribute('auto_pad');
      node.setAttribute(attribute('pads', pads));
      return node;
    },
  };
}
