import { createReadStream } from 'node:fs';
import { ServeOptError } from '../errors.js';
import type { NodeTime, OperatorTime, ProfileReport, ProviderUse } from './profile.js';

/** What one node took on one execution provider. */
interface NodeTotal {
  readonly name: string;
  readonly opType: string;
  readonly provider: string;
  microseconds: number;
}

const RECORD_START = '\n{"cat" : "';
/** A record beyond this is no event that ONNX Runtime writes. */
const LONGEST_RECORD = 16 * 1024 * 1024;
/** Names are not escaped by ONNX Runtime, so this is no JSON: a name ends where the last `","args" : {` begins. */
const RECORD = /^(\w+)","pid" :\d+,"tid" :\d+,"dur" :(\d+),"ts" :(-?\d+),"ph" : ?"X","name" :"(.*)","args" : \{(.*)$/s;
const KERNEL_SUFFIX = '_kernel_time';
/** A graph or subgraph that ran: its time holds that of its nodes, and of writing their events. */
const GRAPH_RUN = 'SequentialExecutor::Execute';
/** Their kernel's time holds that of their subgraphs, whose nodes have events of their own. */
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
 * @throws SO6001 for a profile that was cut short
 */
export async function readProfile(path: string, options: ProfileReadOptions): Promise<ProfileReport> {
  const totals = new ProfileTotals(options.warmUpRuns);
  // The opening bracket's line end is part of the first separator.
  let text = '';
  let end = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    end = (end + (chunk as string)).slice(-16);
    const records = (text + (chunk as string)).split(RECORD_START);
    text = records.pop() ?? '';
    for (const record of records) totals.add(record);
    if (text.length > LONGEST_RECORD) text = '';
  }
  // ONNX Runtime says nothing of what it could not write.
  if (!end.trimEnd().endsWith(']')) {
    throw new ServeOptError('SO6001', "ONNX Runtime's profile is incomplete", {
      why: 'usually the disk of the temporary folder is full',
      hint: 'set TMPDIR to a folder on a disk with free space: TMPDIR=/path serve-opt …',
    });
  }
  totals.add(text);
  totals.finish();
  return totals.report(options.mostNodes ?? 50);
}

/** Sums over events in the order in which they ended. */
class ProfileTotals {
  /** Of runs that ended and are no warm-up. */
  readonly #nodes = new Map<string, NodeTotal>();
  readonly #warmUpRuns: number;
  /** Of the run that is under way. */
  #current = new Map<string, NodeTotal>();
  /** Start and length of its events that are in no later event so far: flat, since loops make very many. */
  #outer: number[] = [];
  #ended = 0;

  constructor(warmUpRuns: number) {
    this.#warmUpRuns = warmUpRuns;
  }

  add(record: string): void {
    const match = RECORD.exec(record);
    if (!match) return;
    const [, category, duration, start, name = '', argumentText = ''] = match;
    if (category === 'Session' && name === 'model_run') this.#endRun();
    if (category === 'Session' && name === GRAPH_RUN) this.#enclose(Number(start), Number(duration));
    if (category !== 'Node' || !name.endsWith(KERNEL_SUFFIX)) return;
    this.#addKernel(name.slice(0, -KERNEL_SUFFIX.length), Number(start), Number(duration), argumentText);
  }

  /** ONNX Runtime records a million events at most, so a run may have no end: better half a run than none. */
  finish(): void {
    if (this.#nodes.size === 0 && this.#current.size > 0) {
      this.#ended = this.#warmUpRuns;
      this.#endRun();
    }
  }

  #addKernel(name: string, start: number, duration: number, argumentText: string): void {
    const opType = stringArgument(argumentText, 'op_name') ?? '?';
    const provider = stringArgument(argumentText, 'provider') || '?';
    // Other nodes have nothing inside, but clocks of whole microseconds can make two look so.
    const inside = CONTROL_FLOW.has(opType) ? this.#enclose(start, duration) : 0;
    if (!CONTROL_FLOW.has(opType)) this.#outer.push(start, duration);
    const own = duration - inside;
    const key = [provider, opType, stringArgument(argumentText, 'node_index') ?? '', name].join('\0');
    addTime(this.#current, key, { name, opType, provider, microseconds: Math.max(0, own) });
  }

  /** Puts an event in the place of those inside it; gives the time of these. */
  #enclose(start: number, duration: number): number {
    let inside = 0;
    while (this.#outer.length > 0 && (this.#outer.at(-2) as number) >= start) {
      inside += this.#outer.pop() as number;
      this.#outer.pop();
    }
    this.#outer.push(start, duration);
    return inside;
  }

  #endRun(): void {
    this.#ended++;
    if (this.#ended > this.#warmUpRuns) for (const [key, node] of this.#current) addTime(this.#nodes, key, node);
    this.#current = new Map();
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

function addTime(nodes: Map<string, NodeTotal>, key: string, node: NodeTotal): void {
  const known = nodes.get(key);
  if (known) known.microseconds += node.microseconds;
  else nodes.set(key, { ...node });
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
