/** What fused attention operators read: operands of attention in the shapes that they take. */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, type Shape, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';

import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { writeList } from '../../engine/operands.js';
import { MICROSOFT } from '../../engine/require-opset.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer } from '../../nodes.js';
import { dataTypeOf, frontAxis, rankOf, sameDim, sameShape, shapeOf } from '../../types.js';
import { type HeadsFirst, type HeadsView, headsFirst, headsViews, isAllOfSource } from './attention-heads.js';

/** An operand that a fused operator can be given. */
export interface OperandInput {
  readonly form: 'features' | 'heads-first';
  /** Heads of the input; each of them is used `repeats` times, one after the other. */
  readonly heads: number;
  readonly repeats: number;
  readonly size: number;
  readonly batch: Dim;
  /** Axes of `from`. */
  readonly batchAxis: number;
  readonly sequenceAxis: number;
  /** The operand is this times the input. */
  readonly factor: number;
  /** The value that exists, and that is made into the input. */
  readonly from: Value;
  /** What else `build` reads. */
  readonly alsoReads?: readonly (Value | undefined)[];
  /** Nodes that `build` adds. */
  readonly cost: number;
  /** True where the input is a part of `from`. */
  readonly isPart?: boolean;
  build(before: Node): Value;
}

/** An operand as [batch, sequence, features]; undefined where it is not all of such a tensor, or, unless `grouped`, more than that. */
export function featuresInput(views: readonly HeadsView[], grouped: boolean): OperandInput | undefined {
  for (const view of views) {
    const { heads, repeats, size, factor, source } = view;
    if ((!grouped && repeats !== 1) || !isAllOfSource(view)) continue;
    const same = { form: 'features', heads, repeats, size, factor } as const;
    const shape = shapeOf(source);
    const batch = shape?.[view.batchFirst ? 0 : 1];
    const axes = { batch, batchAxis: 0, sequenceAxis: 1 };
    if (view.batchFirst) return { ...same, ...axes, from: source, cost: 0, build: () => source };
    const before = source.producer;
    const turned = before?.is('Transpose') && before.ints('perm')?.join() === '1,0,2' ? before.input(0) : undefined;
    if (turned) return { ...same, ...axes, from: turned, cost: 0, build: () => turned };
    const turn = (before: Node) => transposeBefore(source, [1, 0, 2], before);
    return { ...same, batch, batchAxis: 1, sequenceAxis: 0, from: source, cost: 1, build: turn };
  }
  return undefined;
}

/**
 * Query, key and value that stand side by side in the features of one tensor, cut apart by one Split; undefined where they do
 * not, or something else stands beside them.
 */
export function splitInputs(
  operands: readonly (readonly HeadsView[])[],
  grouped: boolean,
  context: RewriteContext,
): OperandInput[] | undefined {
  const source = operands[0]?.find(isBlock)?.source;
  const views = operands.map((list) => list.find((view) => isBlock(view) && view.source === source));
  const found = views.filter((view) => view !== undefined);
  if (!source || found.length < operands.length) return undefined;
  if (found.some((view) => !grouped && view.repeats !== 1)) return undefined;
  const order = found.toSorted((a, b) => a.offset - b.offset);
  let end = 0;
  for (const view of order) {
    if (view.offset !== end) return undefined;
    end += view.heads * view.size;
  }
  if (end !== shapeOf(source)?.[2]) return undefined;
  let parts: Value[] | undefined;
  const split = (before: Node) => {
    const sizes = order.map((view) => view.heads * view.size);
    parts ??= splitFeatures(source, sizes, before, context);
    return parts;
  };
  return found.map((view, index) => ({
    form: 'features',
    heads: view.heads,
    repeats: view.repeats,
    size: view.size,
    batch: shapeOf(source)?.[0],
    batchAxis: 0,
    sequenceAxis: 1,
    factor: view.factor,
    from: source,
    cost: index === 0 ? 1 : 0,
    isPart: true,
    build: (before) => split(before)[order.indexOf(view)] as Value,
  }));
}

/** True for heads that follow each other in a part of [batch, sequence, features]. */
function isBlock({ batchFirst, heads, size, stride, headStride }: HeadsView): boolean {
  return batchFirst && (size === 1 || stride === 1) && (heads === 1 || headStride === size);
}

function splitFeatures(source: Value, sizes: readonly number[], before: Node, context: RewriteContext): Value[] {
  const { inputs, attributes } = writeList(context, before, 'Split', 'split', sizes);
  const [batch, sequence] = shapeOf(source) ?? [];
  const dataType = dataTypeOf(source) ?? 0;
  const outputs = sizes.map((size) => ({
    name: `${source.name}_part`,
    type: tensorType(dataType, [batch, sequence, size]),
  }));
  const spec = {
    opType: 'Split',
    inputs: [source, ...inputs],
    outputs,
    attributes: [...attributes, attribute('axis', 2)],
  };
  return before.graph.addNode(spec, before).outputs.filter((output) => output !== undefined);
}

/** An operand as [batch, heads, sequence, size]. */
export function headsInput(found: HeadsFirst | undefined): OperandInput | undefined {
  const shape = shapeOf(found?.value);
  if (!found || shape?.length !== 4) return undefined;
  const { value, factor, headsLast, repeats } = found;
  const heads = shape[headsLast ? 2 : 1];
  const size = shape[3];
  if (typeof heads !== 'number' || typeof size !== 'number') return undefined;
  const axes = { batchAxis: 0, sequenceAxis: headsLast ? 1 : 2 };
  const same = { form: 'heads-first', heads, repeats, size, factor, batch: shape[0], ...axes, from: value } as const;
  if (!headsLast) return { ...same, cost: 0, build: () => value };
  return { ...same, cost: 1, build: (before) => transposeBefore(value, [0, 2, 1, 3], before) };
}

/**
 * Heads that a rotary embedding turned, for nobody else, as [batch, sequence, features]: the embedding is done there, before
 * heads are cut out.
 */
export function rotaryInput(found: HeadsFirst | undefined, context: RewriteContext): OperandInput | undefined {
  const node = found?.headsLast === false ? found.value.producer : undefined;
  const turned = node?.input(0);
  if (!found || !node || !turned || node.opType !== 'RotaryEmbedding' || !onlyConsumer(found.value)) return undefined;
  if (node.domain !== '' && node.domain !== MICROSOFT) return undefined;
  const inner = rankOf(turned) === 4 ? featuresInput(headsViews(turned, 'value', context), false) : undefined;
  if (!inner) return undefined;
  return {
    ...inner,
    repeats: found.repeats,
    factor: inner.factor * found.factor,
    alsoReads: node.inputs.slice(1),
    cost: inner.cost + 1,
    build(before) {
      const features = inner.build(before);
      const attributes = [...node.attributes.values()].filter(({ name }) => name !== 'num_heads');
      const added = before.graph.addNode(
        {
          opType: node.opType,
          domain: node.domain,
          inputs: [features, ...node.inputs.slice(1)],
          outputs: [{ name: `${found.value.name}_features`, type: features.type }],
          attributes: [...attributes, attribute('num_heads', inner.heads)],
        },
        before,
      );
      return added.output();
    },
  };
}

/** A query of heads put back into [batch, sequence, features]. */
export function mergedHeads(input: OperandInput): OperandInput {
  const { heads, size } = input;
  return {
    ...input,
    form: 'features',
    cost: input.cost + 2,
    build(before) {
      const turned = transposeBefore(input.build(before), [0, 2, 1, 3], before);
      const [batch, sequence] = shapeOf(turned) ?? [];
      const target = addConstant(before.graph, 'features_shape', Tensor.int64([0, 0, heads * size]), before);
      const type =
        turned.type?.kind === 'tensor' ? tensorType(turned.type.dataType, [batch, sequence, heads * size]) : undefined;
      const outputs = [{ name: `${input.from.name}_features`, type }];
      return before.graph.addNode({ opType: 'Reshape', inputs: [turned, target], outputs }, before).output();
    },
  };
}

function transposeBefore(value: Value, perm: readonly number[], before: Node): Value {
  const shape = shapeOf(value);
  const turned: Shape = shape && perm.map((axis) => shape[axis]);
  const type = value.type?.kind === 'tensor' ? tensorType(value.type.dataType, turned) : undefined;
  const outputs = [{ name: `${value.name}_transposed`, type }];
  const attributes = [attribute('perm', perm)];
  return before.graph.addNode({ opType: 'Transpose', inputs: [value], outputs, attributes }, before).output();
}

/** Heads that were kept from before, and those that come to them. */
export interface Cached {
  readonly concat: Node;
  readonly past: Value;
  readonly added: OperandInput;
}

/**
 * A key or value that is `Concat(past, new heads)` along the sequence: for new heads of a tensor of features, or, if `form`
 * says so, for any.
 */
export function cachedInput(
  found: HeadsFirst | undefined,
  form: OperandInput['form'],
  context: RewriteContext,
): Cached | undefined {
  const concat = found?.headsLast === false ? found.value.producer : undefined;
  if (!found || !concat?.is('Concat') || concat.inputs.length !== 2) return undefined;
  if (frontAxis(concat.int('axis', 0), 4) !== 2) return undefined;
  const [past, added] = concat.inputs;
  const heads = added && headsFirst(added, 'value', false, context);
  const input =
    form === 'heads-first'
      ? headsInput(heads)
      : added && (featuresInput(headsViews(added, 'value', context), false) ?? rotaryInput(heads, context));
  const shape = shapeOf(past);
  if (!past || !input || shape?.length !== 4 || input.factor !== 1) return undefined;
  const fits = sameDim(shape[0], input.batch) && shape[1] === input.heads && shape[3] === input.size;
  return fits ? { concat, past, added: { ...input, repeats: found.repeats } } : undefined;
}

/** `value` as something plus one number for each of its last axis. */
export interface AddedRow {
  readonly add: Node;
  readonly before: Value;
  readonly row: Tensor;
}

export function addedRow(value: Value, context: RewriteContext): AddedRow | undefined {
  const add = value.producer;
  const shape = shapeOf(value);
  if (!add?.is('Add') || !shape) return undefined;
  const features = shape.at(-1);
  for (const [slot, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const before = add.input(slot);
    const row = context.constant(add.input(other));
    if (!before || !row || row.rank > shape.length || !sameShape(shapeOf(before), shape)) continue;
    if (row.size === features && (row.dims.at(-1) ?? 1) === features) return { add, before, row };
  }
  return undefined;
}
