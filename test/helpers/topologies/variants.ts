/** Small networks with the blocks of further families; weights are random. */
import type { Model } from '../../../src/ir/model.js';
import type { Value } from '../../../src/ir/value.js';
import { Net } from './net.js';

const IMAGE = ['N', 3, 16, 16] as const;

/** Splits in a chain: each part is added to what the one before gave. */
function res2net(): Model {
  const net = new Net();
  let x = net.relu(net.convNorm(net.input('image', IMAGE), 3, 32));
  const parts = net.split(net.relu(net.convNorm(x, 32, 32, { side: 1 })), 1, [8, 8, 8, 8]);
  const outputs: Value[] = [];
  for (const part of parts) {
    const before = outputs.at(-1);
    if (!before) outputs.push(part);
    else outputs.push(net.relu(net.convNorm(net.op('Add', [before, part]), 8, 8)));
  }
  const joined = net.convNorm(net.op('Concat', outputs, { axis: 1 }), 32, 32, { side: 1 });
  x = net.relu(net.op('Add', [x, joined]));
  net.classify(x, 32, 10);
  return net.model;
}

/** Split attention of radix 2: [N, 2, C, H, W], weighed by a softmax over the 2 and summed. */
function resnest(): Model {
  const net = new Net();
  const x = net.relu(net.convNorm(net.input('image', IMAGE), 3, 16));
  const y = net.relu(net.convNorm(x, 16, 32, { group: 2 }));
  const splits = net.reshape(y, [net.size(y, 0), 2, 16, 16, 16]);
  const pooled = net.op('GlobalAveragePool', [net.op('ReduceSum', [splits, net.ints([1])], { keepdims: 0 })]);
  const inner = net.relu(net.conv(pooled, 16, 8, { side: 1, bias: true }));
  const gates = net.conv(inner, 8, 32, { side: 1, bias: true });
  const apart = net.transpose(net.reshape(gates, [net.size(gates, 0), 1, 2, 16]), [0, 2, 1, 3]);
  const shares = net.reshape(net.op('Softmax', [apart], { axis: 1 }), [net.size(apart, 0), 2, 16, 1, 1]);
  const sum = net.op('ReduceSum', [net.op('Mul', [splits, shares]), net.ints([1])], { keepdims: 0 });
  net.classify(net.relu(net.op('Add', [net.convNorm(sum, 16, 16, { side: 1 }), x])), 16, 10);
  return net.model;
}

/** Attention over channels: positions are summed in the product of queries and keys. */
function xcit(): Model {
  const net = new Net();
  const x = net.linear(net.input('patches', ['N', 16, 8]), 8, 16);
  const packed = net.reshape(net.linear(x, 16, 96), [net.size(x, 0), 16, 3, 4, 8]);
  const wide = net.transpose(packed, [2, 0, 3, 4, 1]);
  const [q, k, v] = [0, 1, 2].map((at) => net.op('Gather', [wide, net.int(at)], { axis: 0 })) as [Value, Value, Value];
  const unit = (each: Value) => net.op('Div', [each, net.op('ReduceL2', [each], { axes: [-1], keepdims: 1 })]);
  const scores = net.op('MatMul', [unit(q), net.transpose(unit(k), [0, 1, 3, 2])]);
  const mixed = net.op('MatMul', [net.op('Softmax', [scores], { axis: -1 }), v]);
  const joined = net.reshape(net.transpose(mixed, [0, 3, 1, 2]), [net.size(x, 0), 16, 32]);
  net.output(net.linear(net.op('Add', [x, net.linear(joined, 32, 16)]), 16, 3), ['N', 16, 3]);
  return net.model;
}

/** A selective state space without the recurrence: gates, a causal depthwise convolution, states summed by Mul and ReduceSum. */
function mamba(): Model {
  const net = new Net();
  const [width, inner, states, steps] = [16, 32, 8, 20];
  const x = net.linear(net.input('x', ['N', steps, 8]), 8, width);
  const [u, z] = net.split(net.linear(net.rmsNorm(x, width), width, 2 * inner, false), -1, [inner, inner]);
  const turned = net.transpose(u as Value, [0, 2, 1]);
  const attributes = { kernel_shape: [4], group: inner, pads: [3, 0] };
  const moved = net.op('Conv', [turned, net.weight([inner, 1, 4]), net.vector(inner)], attributes);
  const s = net.transpose(net.swish(moved), [0, 2, 1]);
  const [step, b, c] = net.split(net.linear(s, inner, 4 + 2 * states, false), -1, [4, states, states]);
  const delta = net.op('Softplus', [net.linear(step as Value, 4, inner)]);
  const last = (each: Value) => net.op('Unsqueeze', [each, net.ints([-1])]);
  const perState = (each: Value | undefined) => net.op('Unsqueeze', [each, net.ints([2])]);
  const decay = net.op('Neg', [net.op('Exp', [net.weight([inner, states], states)])]);
  const kept = net.op('Exp', [net.op('Mul', [last(delta), decay])]);
  const fed = net.op('Mul', [net.op('Mul', [last(delta), perState(b)]), last(s)]);
  const state = net.op('Mul', [net.op('Mul', [kept, fed]), perState(c)]);
  const y = net.op('ReduceSum', [state, net.ints([-1])], { keepdims: 0 });
  const gated = net.op('Mul', [net.op('Add', [y, net.op('Mul', [s, net.vector(inner)])]), net.swish(z as Value)]);
  net.output(net.linear(net.op('Add', [x, net.linear(gated, inner, width, false)]), width, 6), ['N', steps, 6]);
  return net.model;
}

/** Experts as one batched product [experts, width, hidden], weighed by a softmax. */
function mixture(): Model {
  const net = new Net();
  const [width, hidden, experts] = [16, 32, 4];
  const x = net.linear(net.input('x', ['T', 8]), 8, width);
  const gate = net.op('Softmax', [net.linear(x, width, experts, false)], { axis: -1 });
  const each = net.op('Unsqueeze', [x, net.ints([0])]);
  const inner = net.relu(net.op('MatMul', [each, net.weight([experts, width, hidden], width)]));
  const outer = net.op('MatMul', [inner, net.weight([experts, hidden, width], hidden)]);
  const shares = net.op('Unsqueeze', [net.transpose(gate, [1, 0]), net.ints([2])]);
  const y = net.op('ReduceSum', [net.op('Mul', [outer, shares]), net.ints([0])], { keepdims: 0 });
  net.output(net.linear(net.op('Add', [x, y]), width, 5), ['T', 5]);
  return net.model;
}

/** A few learned queries read a sequence; their number of rows is expanded to the batch. */
function perceiver(): Model {
  const net = new Net();
  const width = 32;
  const source = net.linear(net.input('x', ['N', 'M', 12]), 12, 24);
  const sizes = net.op('Concat', [net.size(source, 0), net.ints([8]), net.ints([width])], { axis: 0 });
  let z = net.op('Expand', [net.weight([1, 8, width], 10), sizes]);
  const q = net.splitHeads(net.linear(z, width, 32), 4, 8);
  const [k, v] = [0, 1].map(() => net.splitHeads(net.linear(source, 24, 32), 4, 8)) as [Value, Value];
  z = net.op('Add', [z, net.linear(net.attend(q, k, v, 4, 8), 32, width)]);
  z = net.op('Add', [z, net.linear(net.gelu(net.linear(z, width, 48)), 48, width)]);
  net.output(net.linear(net.op('ReduceMean', [z], { axes: [1], keepdims: 0 }), width, 5), ['N', 5]);
  return net.model;
}

export const VARIANTS: Readonly<Record<string, () => Model>> = {
  'Res2Net (parts in a chain)': res2net,
  'ResNeSt (split attention)': resnest,
  'XCiT (attention over channels)': xcit,
  'Mamba-like (gates, causal convolution, states)': mamba,
  'mixture of experts in one product': mixture,
  'Perceiver-like (learned queries)': perceiver,
};
