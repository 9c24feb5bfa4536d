import type { Node } from '../ir/node.js';

/** What operators do with the axes of theirs that no rule relates to others. */
const TEXTS: ReadonlyMap<string, string> = new Map(
  (
    [
      ['Conv ConvInteger ConvTranspose QLinearConv FusedConv', 'the kernel moves over it'],
      [
        'AveragePool MaxPool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool MaxUnpool',
        'windows are pooled along it',
      ],
      ['Reshape Flatten Squeeze Unsqueeze', 'it is regrouped in a way that does not keep its indices apart'],
      ['Gather GatherElements GatherND', 'its indices are looked up by values of another tensor'],
      ['ScatterElements ScatterND Scatter', 'elements are written to places that are given by values'],
      ['Slice Split Pad Tile Expand', 'the sizes or positions of the parts are not known'],
      ['Resize Upsample GridSample RoiAlign AffineGrid', 'it is interpolated along it'],
      ['DepthToSpace SpaceToDepth', 'blocks are arranged along it'],
      ['LSTM GRU RNN', 'each step, direction or gate of it depends on the others'],
      ['TopK ArgMax ArgMin Hardmax', 'its elements are compared with each other'],
      ['CumSum CumProd', 'its elements are added up one after the other'],
      ['Trilu EyeLike', 'what is kept depends on the position along it'],
      ['DynamicQuantizeLinear', 'one scale is computed over all of it'],
      [
        'Attention MultiHeadAttention GroupQueryAttention RotaryEmbedding',
        'it is no axis of heads, and attention needs all of it',
      ],
      ['MatMulNBits', 'its elements are quantized in blocks and packed'],
      ['Size', 'its size is a number that is computed with'],
      ['If Loop Scan SequenceMap', 'subgraphs are not analyzed'],
      ['OneHot Range NonZero Unique', 'its length comes from values'],
    ] as const
  ).flatMap(([names, text]) => names.split(' ').map((name) => [name, text] as const)),
);

/** Why an axis stays that no rule says more of. */
export function wholeText(node: Node): string {
  return TEXTS.get(node.opType) ?? 'it is not known how the operator uses it';
}
