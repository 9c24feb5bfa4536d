import { createReadStream } from 'node:fs';
import type { NodeTime, OperatorTime, ProfileReport, ProviderUse } from '../report/bench-types.js';

/** What one node, on one execution provider, took in all runs that count. */
interface NodeTotal {
  readonly name: string;
  readonly opType: string;
  readonly provider: string;
  microseconds: number;
}

/** An event of a node: a kernel that ran. */
interface KernelEvent extends Omit<NodeTotal, 'microseconds'> {
  readonly key: string;
  readonly start: number;
  readonly duration: number;
  /** Without what nodes of its subgraphs took. */
  readonly own: number;
}

const RECORD_START = '\n{"cat" : "';
/** A record beyond this is no event that ONNX Runtime writes. */
const LONGEST_RECORD = 16 * 1024 * 1024;
/** Names are not escaped by ONNX Runtime, so this is no JSON: a name ends where the last `","args" : {` begins. */
const RECORD = /^(\w+)","pid" :\d+,"tid" :\d+,"dur" :(\d+),"ts" :(-?\d+),"ph" : ?"X","name" :"(.*)","args" : \{(.*)$/s;
const KERNEL_SUFFIX = '_kernel_time';
/** Their kernel's time holds that of the nodes of their subgraphs, which have events of their own. */
const CONTROL_FLOW: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);

export interface ProfileReadOptions {
  /** First runs, which are left out. */
  readonly warmUpRuns: number;
  /** Nodes to list, the slowest first. Default 50. */
  readonly mostNodes?: number;
}

/**
 * Reads ONNX Runtime's profile: which nodes ran on which execution provider, and how long. Time is per run; the time of
 * a control-flow node is what its subgraphs leave. Read as a stream: profiles reach hundreds of megabytes.
 */
export async function readProfile(path: string, options: ProfileReadOptions): Promise<ProfileReport> {
  const totals = new ProfileTotals(options.warmUpRuns);
  // The opening bracket's line end is part of the first separator.
  let text = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const records = (text + (chunk as string)).split(RECORD_START);
    text = records.pop() ?? '';
    for (const record of records) totals.add(record);
    if (text.length > LONGEST_RECORD) text = '';
  }
  totals.add(text);
  return totals.report(options.mostNodes ?? 50);
}

/** Sums over events in the order in which they ended. Events of a run count when its end was seen. */
class ProfileTotals {
  readonly #nodes = new Map<string, NodeTotal>();
  readonly #warmUpRuns: number;
  #events: KernelEvent[] = [];
  /** Events of the run that are in no later event so far. */
  #outer: { readonly start: number; readonly duration: number }[] = [];
  #ended = 0;

  constructor(warmUpRuns: number) {
    this.#warmUpRuns = warmUpRuns;
  }

  add(record: string): void {
    const match = RECORD.exec(record);
    if (!match) return;
    const [, category, duration, start, name = '', argumentText = ''] = match;
    if (category === 'Session' && name === 'model_run') this.#endRun();
    if (category !== 'Node' || !name.endsWith(KERNEL_SUFFIX)) return;
    this.#addKernel(name.slice(0, -KERNEL_SUFFIX.length), Number(start), Number(duration), argumentText);
  }

  #addKernel(name: string, start: number, duration: number, argumentText: string): void {
    const opType = stringArgument(argumentText, 'op_name') ?? '?';
    const provider = stringArgument(argumentText, 'provider') || '?';
    let own = duration;
    if (CONTROL_FLOW.has(opType)) {
      for (let last = this.#outer.at(-1); last && last.start >= start; last = this.#outer.at(-1)) {
        own -= last.duration;
        this.#outer.pop();
      }
    }
    this.#outer.push({ start, duration });
    const key = [provider, opType, stringArgument(argumentText, 'node_index') ?? '', name].join('\0');
    this.#events.push({ key, name, opType, provider, start, duration, own: Math.max(0, own) });
  }

  #endRun(): void {
    this.#ended++;
    if (this.#ended > this.#warmUpRuns) {
      for (const { key, name, opType, provider, own } of this.#events) {
        const total = this.#nodes.get(key) ?? { name, opType, provider, microseconds: 0 };
        total.microseconds += own;
        this.#nodes.set(key, total);
      }
    }
    this.#events = [];
    this.#outer = [];
  }

  report(mostNodes: number): ProfileReport {
    const runs = Math.max(0, this.#ended - this.#warmUpRuns);
    const nodes = [...this.#nodes.values()].sort((a, b) => b.microseconds - a.microseconds);
    let all = 0;
    for (const { microseconds } of nodes) all += microseconds;
    const time = (microseconds: number): { readonly msPerRun: number; readonly share: number } => ({
      msPerRun: runs === 0 ? 0 : microseconds / 1000 / runs,
      share: all === 0 ? 0 : microseconds / all,
    });
    const operators = grouped(nodes, ({ opType, provider }) => `${provider}\0${opType}`).map(
      ({ first: { opType, provider }, count, microseconds }): OperatorTime => ({
        opType,
        provider,
        nodes: count,
        ...time(microseconds),
      }),
    );
    const providers = grouped(nodes, ({ provider }) => provider).map(
      ({ first: { provider }, count, microseconds }): ProviderUse => ({
        provider,
        nodes: count,
        kernelMs: time(microseconds).msPerRun,
      }),
    );
    const slowest = nodes
      .slice(0, mostNodes)
      .map(({ name, opType, provider, microseconds }): NodeTime => ({ name, opType, provider, ...time(microseconds) }));
    return { runs, providers, operators, nodes: slowest };
  }
}

interface Group {
  readonly first: NodeTotal;
  count: number;
  microseconds: number;
}

/** Groups by key, the slowest first. */
function grouped(nodes: readonly NodeTotal[], keyOf: (node: NodeTotal) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const node of nodes) {
    const key = keyOf(node);
    const group = groups.get(key) ?? { first: node, count: 0, microseconds: 0 };
    group.count++;
    group.microseconds += node.microseconds;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.microseconds - a.microseconds);
}

/** Arguments are written as `"name" : "value"`, in no certain order. */
function stringArgument(text: string, name: string): string | undefined {
  const begin = `"${name}" : "`;
  const at = text.indexOf(begin);
  if (at < 0) return undefined;
  const end = text.indexOf('"', at + begin.length);
  return end < 0 ? undefined : text.slice(at + begin.length, end);
}
