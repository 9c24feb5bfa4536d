import { ServeOptError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import { tensorType } from '../../ir/type.js';
import { allNodes, constantTensor } from '../../ir/walk.js';
import type { RequestOptions, RuntimeHost } from '../../runtime/host.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { SESSIONS } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';

/** Which branches of a model samples take. */
export interface BranchCoverage {
  /** The samples, with further synthetic ones that take branches those given do not. */
  readonly source: SampleSource;
  /** What was not reached or not looked at, one sentence each; empty where every branch is reached. */
  readonly notes: readonly string[];
}

/** Branches that a note names. */
const MOST_NAMED = 5;

/**
 * Sees to it that samples take every branch of every If that they can: further synthetic samples are looked for, and what
 * none reaches is told. Conditions that a subgraph or a local function computes itself are not looked at.
 */
export async function coverBranches(
  runtime: RuntimeHost,
  model: Model,
  inputs: readonly ValueSpec[],
  source: SampleSource,
  options: RequestOptions = {},
): Promise<BranchCoverage> {
  const ifs = [...allNodes(model)].filter((node) => node.is('If') && constantTensor(node.input(0)) === undefined);
  if (ifs.length === 0) return { source, notes: [] };
  const copy = model.clone();
  const exposed = exposeConditions(copy);
  const notes: string[] = [];
  const hidden = ifs.length - exposed.length;
  if (hidden > 0)
    notes.push(
      `For ${hidden === 1 ? '1 If' : `${hidden} Ifs`} inside other graphs it was not checked which branch ran.`,
    );
  if (exposed.length === 0) return { source, notes };
  try {
    const { reached, further } = await withWorkFolder(async (folder) => {
      const path = await writeRunnable(copy, folder);
      const { session } = await runtime.request('load', { path, options: SESSIONS.unoptimized }, options);
      const conditions = exposed.map(({ output }) => output);
      const found = await runtime.request('branches', { session, source, inputs, conditions }, options);
      await runtime.request('release', { session });
      return found;
    });
    const missed = exposed.flatMap(({ label }, index) => {
      const [no, yes] = reached[index] ?? [true, true];
      return [...(yes ? [] : [`then_branch of "${label}"`]), ...(no ? [] : [`else_branch of "${label}"`])];
    });
    if (missed.length > 0) notes.push(unreached(missed));
    return { source: withFurther(source, further), notes };
  } catch (error) {
    if (!(error instanceof ServeOptError) || (error.code !== 'SO5001' && error.code !== 'SO5002')) throw error;
    return { source, notes: [...notes, 'It could not be determined which branches of If were taken.'] };
  }
}

function unreached(missed: readonly string[]): string {
  const more = missed.length - MOST_NAMED;
  const names = `${missed.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `No sample reached the ${names}: ${missed.length === 1 ? 'it was' : 'they were'} not compared.`;
}

/** Synthetic samples with further ones after the second: those on which time may be short come last. */
function withFurther(source: SampleSource, further: readonly number[]): SampleSource {
  if (source.kind === 'data' || further.length === 0) return source;
  const { plan = { sizes: 0 }, count } = source;
  const plain = plan.samples ?? Array.from({ length: count }, (_, sample) => sample);
  const samples = [...plain.slice(0, 2), ...further, ...plain.slice(2)];
  return { ...source, count: samples.length, plan: { ...plan, samples } };
}

interface ExposedCondition {
  readonly output: string;
  readonly label: string;
}

/** Gives conditions out that the main graph computes, whichever graph the If stands in. */
function exposeConditions(model: Model): ExposedCondition[] {
  const exposed: ExposedCondition[] = [];
  for (const node of ifsOf(model.graph)) {
    const condition = node.input(0);
    if (!condition || condition.graph !== model.graph || constantTensor(condition)) continue;
    const output = model.freshName('serve_opt_condition');
    const copy = model.graph.addNode({
      opType: 'Identity',
      inputs: [condition],
      outputs: [{ name: output, type: tensorType(DataType.BOOL, undefined) }],
    });
    model.graph.addOutput(copy.output());
    exposed.push({ output: copy.output().name, label: nodeLabel(node) });
  }
  return exposed;
}

function ifsOf(graph: Graph): Node[] {
  const found: Node[] = [];
  const graphs = [graph];
  for (const each of graphs) {
    for (const node of each.nodes) {
      if (node.is('If')) found.push(node);
      for (const { graph: inner } of node.subgraphs()) graphs.push(inner);
    }
  }
  return found;
}
