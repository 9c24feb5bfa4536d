import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { allNodes } from '../../../ir/walk.js';
import { outputKey } from '../../../passes/kept-nodes.js';
import type { NodeTime } from '../../../runtime/profile.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import type { QuantizeOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import type { CandidateFiles } from '../../workbench/candidate-files.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import type { KeptLayers } from '../conversion.js';
import { choiceFor, type QuantizableLayer } from '../layer-choice.js';
import { candidateOf, type QuantizeCandidate } from '../quantize-candidate.js';

/** An INT8 layer that takes so many times what it took in FP32 is put back: what is about equal is not a matter of chance. */
const CLEARLY = 1.1;
/** Runs of a profile, and most time for one. */
const RUNS = { runs: 40, maxMs: 2500 } as const;
/** What ONNX Runtime puts behind the name of a node or a value that it made another of. */
const MADE = /(_token_\d+|_nchwc|_quant|_QuantizeLinear.*|_DequantizeLinear.*|\/MatMulAddFusion)+$/;

/**
 * The candidate with those layers back in FP32 whose INT8 form, with the conversions around it, takes longer than the FP32 form, as ONNX
 * Runtime's own profile of both tells. Undefined where that is none, or every one.
 */
export async function mixedBySpeed(
  run: ModelRun<QuantizeOptions>,
  candidate: QuantizeCandidate,
  files: CandidateFiles,
  source: SampleSource,
): Promise<QuantizeCandidate | undefined> {
  const { converted, fallback } = candidate;
  if (!converted.base) return undefined;
  const prepared = converted.base.prepared.model;
  const choice = await choiceFor(converted, run.options);
  const before = timesByName(await profile(run, await files.write(prepared.clone()), source));
  const after = timesByName(await profile(run, await files.write(candidate.model), source));
  const nodes = new Map([...allNodes(prepared)].map((node) => [outputKey(node), node]));
  const slower = choice.layers.filter((layer) => {
    const node = nodes.get(layer.key);
    return node !== undefined && costOf(node, layer, after) > CLEARLY * floatCostOf(node, layer, before);
  });
  if (slower.length === 0 || slower.length === choice.layers.length) return undefined;
  const kept: KeptLayers = new Map([
    ...keptBefore(candidate, prepared),
    ...slower.map(({ key }): [string, string] => [key, 'INT8 with its conversions takes longer here than FP32']),
  ]);
  const again = await choice.convert(kept);
  if (again.step.changed === 0) return undefined;
  const mixed = candidateOf(run, { ...converted, ...again }, fallback);
  return candidate.search ? { ...mixed, search: candidate.search } : mixed;
}

/** Layers that the accuracy keeps in FP32 already. */
function keptBefore({ converted }: QuantizeCandidate, prepared: Model): KeptLayers {
  const reasons = new Map(converted.step.refusals.map(({ node, opType, reason }) => [`${opType} ${node}`, reason]));
  const kept = new Map<string, string>();
  for (const node of allNodes(prepared)) {
    const reason = reasons.get(`${node.opType} ${node.name}`);
    if (reason !== undefined) kept.set(outputKey(node), reason);
  }
  return kept;
}

async function profile(
  run: ModelRun<QuantizeOptions>,
  path: string,
  source: SampleSource,
): Promise<readonly NodeTime[]> {
  const host = await run.runtime.host();
  const options = withOptions(SESSIONS.timed, sessionOptions(run.options));
  const report = await withWorkFolder((folder) =>
    host.request('profile', {
      path,
      options,
      source,
      inputs: inputSpecs(run.model),
      batchSize: 1,
      folder: folder.path,
      mostNodes: Number.POSITIVE_INFINITY,
      ...RUNS,
    }),
  );
  return report.nodes;
}

/** Times in ms by operator and the name that a node had before ONNX Runtime changed it. */
function timesByName(times: readonly NodeTime[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, opType, msPerRun } of times) {
    const isConversion = opType === 'QuantizeLinear' || opType === 'DequantizeLinear';
    const key = `${isConversion ? 'conversion ' : ''}${name.replace(MADE, '')}`;
    sums.set(key, (sums.get(key) ?? 0) + msPerRun);
  }
  return sums;
}

/** What an INT8 layer takes: its kernel, and its share of the conversions of what it reads and gives. */
function costOf(node: Node, { name }: QuantizableLayer, times: ReadonlyMap<string, number>): number {
  const kernel = times.get(name) ?? times.get(outputKey(node)) ?? 0;
  const [input, output] = [node.input(0), node.outputs[0]];
  const read = input ? (times.get(`conversion ${input.name}`) ?? 0) / Math.max(1, input.uses.size) : 0;
  return kernel + read + (output ? (times.get(`conversion ${output.name}`) ?? 0) : 0);
}

function floatCostOf(node: Node, { name }: QuantizableLayer, times: ReadonlyMap<string, number>): number {
  const names = [name, outputKey(node), ...[...(node.outputs[0]?.uses ?? [])].map((use) => outputKey(use.node))];
  for (const each of names) {
    const time = times.get(each);
    if (time !== undefined) return time;
  }
  return Number.POSITIVE_INFINITY;
}
