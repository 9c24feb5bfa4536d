/**
 * Compares a model that was cut with the model whose consumers do not see what was cut: the operands of every sum over a cut
 * axis are multiplied by 0 there. Written apart from the rules of pruning: it knows which operators sum over which axis.
 */
import type { Model } from '../../src/ir/model.js';
import type { Node } from '../../src/ir/node.js';
import { formatType } from '../../src/ir/type.js';
import type { Value } from '../../src/ir/value.js';
import { verifyModel } from '../../src/ir/verify.js';
import { constantTensor } from '../../src/ir/walk.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { cutUnits } from '../../src/passes/prune/cut-units.js';
import { type Dependencies, findDependencies, type PruneUnit } from '../../src/prune/dependency-groups.js';
import { KeptAxes } from '../../src/prune/kept-axes.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom, type Random } from '../../src/tensor/random.js';
import { Tensor } from '../../src/tensor/tensor.js';
import type { FuzzRuntime, Outputs } from './fuzz-runtime.js';
import type { FeedTensor } from './random-feeds.js';

/** Chooses this share of the units of each group, one at least, and leaves one at least; some groups stay whole. */
export function chooseUnits(
  { groups }: Dependencies,
  amount: number,
  random: Random,
  share = 1,
  name?: string,
): PruneUnit[] {
  const chosen: PruneUnit[] = [];
  for (const group of groups) {
    if (name !== undefined && group.name !== name) continue;
    if (random.float() >= share) continue;
    const units = [...group.units];
    const count = Math.min(units.length - 1, Math.max(1, Math.round(units.length * amount)));
    for (let left = count; left > 0; left--) chosen.push(...units.splice(random.integer(units.length), 1));
  }
  return chosen;
}

export interface CutComparison {
  /** Largest difference of an output, relative to its largest magnitude. */
  readonly relative: number;
  /** The same between two ways of running the masked model, which round differently: found where `relative` is above 1e-5. */
  readonly rounding: number;
  readonly groups: number;
  /** Every output is zero or one number throughout: they would be equal whatever was cut. */
  readonly silent: boolean;
  /** Elements of constants of what was cut, over those of before. */
  readonly left: number;
}

export interface CutRequest {
  readonly amount: number;
  readonly seed: number;
  readonly share?: number;
  readonly feeds: ReadonlyMap<string, FeedTensor>;
  readonly change?: (model: Model) => void;
}

/**
 * Cuts a copy, masks another one, and runs both.
 *
 * @throws Error where the copy is not sound, does not load, or has another interface
 */
export async function compareCut(model: Model, request: CutRequest, runtime: FuzzRuntime): Promise<CutComparison> {
  const [cut, masked] = [model.clone(), model.clone()];
  const choose = (dependencies: Dependencies): PruneUnit[] =>
    chooseUnits(dependencies, request.amount, createRandom(request.seed, 3), request.share);
  const dependencies = findDependencies(cut);
  cutUnits(cut, dependencies, choose(dependencies));
  const before = constantElements(masked);
  maskConsumers(masked, choose);
  request.change?.(cut);
  checkSound(model, cut);
  const [expected, got] = [await runOnce(masked, request.feeds, runtime), await runOnce(cut, request.feeds, runtime)];
  const relative = largestDifference(expected, got);
  return {
    relative,
    rounding: relative > 1e-5 ? await roundingOf(masked, expected, request.feeds, runtime) : 0,
    groups: dependencies.groups.length,
    silent: [...expected.values()].every(({ numbers }) =>
      numbers.every((each) => each === 0 || (numbers.length > 1 && Object.is(each, numbers[0]))),
    ),
    left: constantElements(cut) / before,
  };
}

/** What the optimizations of ONNX Runtime change of the same model. */
async function roundingOf(
  masked: Model,
  expected: Outputs,
  feeds: ReadonlyMap<string, FeedTensor>,
  runtime: FuzzRuntime,
): Promise<number> {
  return largestDifference(expected, await runOnce(masked, feeds, runtime, 'all'));
}

async function runOnce(
  model: Model,
  feeds: ReadonlyMap<string, FeedTensor>,
  runtime: FuzzRuntime,
  optimization: 'disabled' | 'all' = 'disabled',
): Promise<Outputs> {
  const session = await runtime.session(await modelBytes(model), optimization);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Structure, types without contradiction, and the same interface. */
function checkSound(original: Model, cut: Model): void {
  const [problem] = verifyModel(cut);
  if (problem) throw new Error(`not sound: ${problem.message}`);
  const problems = (model: Model): string[] =>
    inferTypes(model).problems.map(({ node, opType, reason }) => `${opType} ${node}: ${reason}`);
  const reference = original.clone();
  const known = new Set(problems(reference));
  const contradiction = problems(cut).find((text) => !known.has(text));
  if (contradiction) throw new Error(`contradicting types: ${contradiction}`);
  const interfaceOf = (model: Model): string =>
    [...model.graph.inputs, ...model.graph.outputs]
      .filter((value) => model.irVersion >= 4 || !value.tensor)
      .map((value) => `${value.name}: ${formatType(value.type)}`)
      .join('\n');
  if (interfaceOf(reference) !== interfaceOf(cut))
    throw new Error(`another interface:\n${interfaceOf(reference)}\n${interfaceOf(cut)}`);
}

function constantElements(model: Model): number {
  let count = 0;
  const seen = new Set<Value>();
  for (const node of model.graph.nodes)
    for (const value of node.inputs) {
      const tensor = constantTensor(value);
      if (value && tensor && !seen.has(value) && tensor.dataType !== DataType.INT64) count += tensor.size;
      if (value) seen.add(value);
    }
  return count;
}

function largestDifference(expected: Outputs, got: Outputs): number {
  let worst = 0;
  for (const [name, { numbers, dims }] of expected) {
    const other = got.get(name);
    if (other === undefined || other.dims.join() !== dims.join()) return Number.POSITIVE_INFINITY;
    let [magnitude, difference] = [1e-6, 0];
    for (let at = 0; at < numbers.length; at++) {
      const [x, y] = [numbers[at] as number, other.numbers[at] as number];
      if (Object.is(x, y)) continue;
      magnitude = Math.max(magnitude, Math.abs(x));
      difference = Math.max(difference, Number.isNaN(x - y) ? Number.POSITIVE_INFINITY : Math.abs(x - y));
    }
    worst = Math.max(worst, difference / magnitude);
  }
  return worst;
}

/** An operand that is summed over an axis. */
interface SummedOperand {
  readonly slot: number;
  readonly axis: number;
}

function rankOf(node: Node, slot: number): number {
  const value = node.input(slot);
  const type = value?.type;
  return constantTensor(value)?.rank ?? (type?.kind === 'tensor' ? (type.shape?.length ?? 0) : 0);
}

/** Where operators sum: their other operand does not matter where this one is 0. */
const SUMMED: Readonly<Record<string, (node: Node) => readonly SummedOperand[]>> = {
  Conv: () => [{ slot: 0, axis: 1 }],
  FusedConv: () => [{ slot: 0, axis: 1 }],
  ConvTranspose: () => [{ slot: 0, axis: 1 }],
  MatMul: (node) => [{ slot: 0, axis: rankOf(node, 0) - 1 }],
  Gemm: (node) => [{ slot: 0, axis: node.int('transA', 0) === 1 ? 0 : 1 }],
  FusedGemm: (node) => [{ slot: 0, axis: node.int('transA', 0) === 1 ? 0 : 1 }],
  FusedMatMul: (node) => [{ slot: 0, axis: rankOf(node, 0) - (node.int('transA', 0) === 1 ? 2 : 1) }],
  Einsum: (node) => {
    const [left = '', right = ''] = node.string('equation', '').replaceAll(' ', '').split('->');
    const [first = ''] = left.split(',');
    return [...first].flatMap((label, axis) => (right.includes(label) ? [] : [{ slot: 0, axis }]));
  },
  ReduceSum: (node) => {
    const given = node.ints('axes') ?? constantTensor(node.input(1));
    const axes = Array.isArray(given)
      ? given
      : given
        ? [...new BigInt64Array(given.bytes().slice().buffer)].map(Number)
        : [];
    return axes.map((axis) => ({ slot: 0, axis: axis < 0 ? axis + rankOf(node, 0) : axis }));
  },
  LSTM: () => [
    { slot: 0, axis: 2 },
    { slot: 2, axis: 2 },
  ],
  GRU: () => [
    { slot: 0, axis: 2 },
    { slot: 2, axis: 2 },
  ],
  RNN: () => [
    { slot: 0, axis: 2 },
    { slot: 2, axis: 2 },
  ],
  Attention: (node) => (node.domain === '' ? [] : [{ slot: 0, axis: 2 }]),
  // Integers are not multiplied by a float: the weight is put to its zero point, which is 0 here.
  QLinearConv: () => [{ slot: 3, axis: 1 }],
  ConvInteger: () => [{ slot: 1, axis: 1 }],
  MatMulInteger: (node) => [{ slot: 1, axis: rankOf(node, 1) - 2 }],
  QLinearMatMul: (node) => [{ slot: 3, axis: rankOf(node, 3) - 2 }],
};

const FLOATS: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE]);

function maskConsumers(model: Model, choose: (dependencies: Dependencies) => PruneUnit[]): void {
  const dependencies = findDependencies(model);
  const { table } = dependencies;
  const kept = new KeptAxes(table, choose(dependencies));
  for (const node of [...model.graph.nodes]) {
    const summed = (SUMMED[node.opType]?.(node) ?? []).map(({ slot, axis }) => {
      const value = node.input(slot);
      return { slot, axis, rank: rankOf(node, slot), id: value && table.known(value, node, slot)?.[axis] };
    });
    for (const { id, ...operand } of summed) {
      const left = kept.of(id);
      if (id !== undefined && left !== undefined) mask(node, operand, table.size(id), new Set(left));
    }
  }
}

function mask(
  node: Node,
  { slot, axis, rank }: SummedOperand & { readonly rank: number },
  size: number,
  left: ReadonlySet<number>,
): void {
  const value = node.input(slot);
  if (!value) return;
  const { graph } = node;
  const tensor = constantTensor(value);
  if (tensor && !FLOATS.has(tensor.dataType)) {
    const inner = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const bytes = tensor.bytes().slice();
    for (let at = 0; at < bytes.length; at++) if (!left.has(Math.floor(at / inner) % size)) bytes[at] = 0;
    node.setInput(slot, graph.addInitializer('masked_weight', Tensor.of(tensor.dataType, tensor.dims, bytes)));
    return;
  }
  const dims = Array.from({ length: rank }, (_, at) => (at === axis ? size : 1));
  const numbers = Float32Array.from({ length: size }, (_, index) => (left.has(index) ? 1 : 0));
  const type = tensor?.dataType ?? (value.type?.kind === 'tensor' ? value.type.dataType : DataType.FLOAT);
  let factor = graph.addInitializer('mask', Tensor.float32(numbers, dims));
  if (type !== DataType.FLOAT) {
    const to = { name: 'to', value: { kind: 'int', value: type } } as const;
    factor = graph
      .addNode({ opType: 'Cast', inputs: [factor], outputs: [{ name: 'mask_cast' }], attributes: [to] }, node)
      .output();
  }
  const masked = graph.addNode({ opType: 'Mul', inputs: [value, factor], outputs: [{ name: 'masked' }] }, node);
  node.setInput(slot, masked.output());
}
