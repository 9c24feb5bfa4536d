/** One model through the whole of `optimize`, and everything that must hold of what comes out. */
import { rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes, readModel } from '../../src/ir/read-model.js';
import { formatType } from '../../src/ir/type.js';
import { verifyModel } from '../../src/ir/verify.js';
import { walkGraphs } from '../../src/ir/walk.js';
import { modelBytes, writeModel } from '../../src/ir/write-model.js';
import type { ConstantEvaluator } from '../../src/passes/engine/rewrite.js';
import type { AllowedOperators } from '../../src/passes/levels.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import type { Feeds } from '../../src/samples/types.js';
import { type ModelRuns, outputsDifference, type RunOutputs } from './model-runs.js';
import type { OnnxChecker } from './onnx-checker.js';
import { messageOf } from './suite.js';

/** What judging takes beside a model. */
export interface Tools {
  readonly runs: ModelRuns;
  readonly evaluate: ConstantEvaluator;
  /** Undefined where there is no onnx package. */
  readonly checker: OnnxChecker | undefined;
  /** A folder for results. */
  readonly scratch: string;
}

export interface JudgeOptions {
  readonly operators: AllowedOperators;
  readonly growthBytes: number;
  /** What the original gives, where it runs. */
  readonly reference?: { readonly feeds: Feeds; readonly outputs: RunOutputs };
}

export interface Judgement {
  /** Nodes with those of subgraphs. */
  readonly nodesBefore: number;
  readonly nodes: number;
  /** What does not hold; empty for a right result. */
  readonly failures: readonly string[];
  /** What the result gives for the feeds of the reference. */
  readonly outputs?: RunOutputs;
}

/** Larger results are not written and optimized a second time: it would only take long. */
const REPEATED_BYTES = 16 * 1024 * 1024;

/** Optimizes the file at level max and judges the result; throws nothing for what optimizing throws. */
export async function judgeOptimized(path: string, options: JudgeOptions, tools: Tools): Promise<Judgement> {
  const model = await readModel(path);
  const nodesBefore = countNodes(model);
  const result = join(tools.scratch, 'optimized.onnx');
  try {
    const sound = verifyModel(model).length === 0;
    const outcome = await optimize(model, options, tools);
    const failures: string[] = [];
    const nodes = countNodes(model);
    if (!outcome.settled) failures.push('it does not settle');
    if (outcome.applied.length === 0) {
      const same = Buffer.compare(await modelBytes(model), await readFile(path)) === 0;
      if (!same) failures.push('nothing was changed, and yet it is not written byte for byte');
      return { nodesBefore, nodes, failures, ...(options.reference ? { outputs: options.reference.outputs } : {}) };
    }
    const [problem] = sound ? verifyModel(model) : [];
    if (problem) failures.push(`unsound: ${problem.message}`);
    await writeModel(model, result);
    if (statSync(result).size <= REPEATED_BYTES) failures.push(...(await repeat(path, result, options, tools)));
    const refusal = await refusedByChecker(path, result, tools.checker);
    if (refusal !== undefined) failures.push(`the checker of onnx: ${refusal}`);
    if (!options.reference) return { nodesBefore, nodes, failures };
    const outputs = await tools.runs.outputs(result, options.reference.feeds);
    if (typeof outputs === 'string') failures.push(`does not run any more: ${outputs}`);
    const difference = typeof outputs === 'string' ? undefined : outputsDifference(options.reference.outputs, outputs);
    if (difference !== undefined) {
      const passes = new Set(outcome.applied.map(({ pass }) => pass));
      failures.push(`unequal: ${difference} (${[...passes].join(' ')})`);
    }
    return { nodesBefore, nodes, failures, ...(typeof outputs === 'string' ? {} : { outputs }) };
  } catch (error) {
    return { nodesBefore, nodes: nodesBefore, failures: [`throws: ${messageOf(error)}`] };
  } finally {
    model.source?.close();
    rmSync(result, { force: true });
  }
}

function optimize(model: Model, { operators, growthBytes }: JudgeOptions, { evaluate }: Tools) {
  return optimizeGraph(model, { level: 'max', operators, growthBytes, evaluate });
}

/** The same file again gives the same bytes; the result again stays as it is; the interface is that of the original. */
async function repeat(path: string, result: string, options: JudgeOptions, tools: Tools): Promise<string[]> {
  const failures: string[] = [];
  const bytes = await readFile(result);
  const original = parseModelBytes(await readFile(path));
  const described = interfaceOf(original);
  await optimize(original, options, tools);
  if (Buffer.compare(await modelBytes(original), bytes) !== 0) failures.push('a second time it comes out otherwise');
  const again = parseModelBytes(bytes);
  if (interfaceOf(again) !== described) failures.push(`interface: ${described} became ${interfaceOf(again)}`);
  const { applied } = await optimize(again, options, tools);
  const [first] = applied;
  if (first) failures.push(`not idempotent: ${first.pass} at ${first.nodes[0]?.label} (${first.nodes[0]?.opType})`);
  else if (Buffer.compare(await modelBytes(again), bytes) !== 0) failures.push('not idempotent: other bytes');
  return failures;
}

async function refusedByChecker(
  path: string,
  result: string,
  checker: OnnxChecker | undefined,
): Promise<string | undefined> {
  if (!checker || statSync(result).size > 1.9e9) return undefined;
  const complaint = await checker.complaint(result);
  if (complaint === undefined || (await checker.complaint(path)) !== undefined) return undefined;
  return complaint.replaceAll(/\s+/g, ' ').slice(0, 200);
}

export function countNodes({ graph }: Model): number {
  let nodes = 0;
  for (const inner of walkGraphs(graph)) nodes += inner.nodes.size;
  return nodes;
}

/** Names, order, types and shapes of inputs and outputs. Before IR version 4 constants are inputs too, which nobody can feed. */
function interfaceOf({ graph, irVersion }: Model): string {
  const inputs = graph.inputs.filter((value) => irVersion >= 4 || value.tensor === undefined);
  return [inputs, graph.outputs]
    .map((list) => list.map((value) => `${value.name}: ${formatType(value.type)}`).join(', '))
    .join(' => ');
}
