import { ServeOptError } from '../../errors.js';
import { operatorName } from '../../ir/diff.js';
import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import { uniquifyNodeNames } from '../../ir/node-names.js';
import { nodeLabel } from '../../ir/problem.js';
import { sortGraph } from '../../ir/sort.js';
import type { Value } from '../../ir/value.js';
import { allGraphs, allNodes, constantTensor } from '../../ir/walk.js';
import { tensorElements } from '../../ops/infer/elements.js';
import { type Elements, inferTypes } from '../../ops/infer-types.js';
import type { AllowedOperators } from '../levels.js';
import { removeUnused } from '../nodes.js';
import type { RewriteGate } from './gate.js';
import { keepProvenance, recordNode } from './provenance.js';
import type {
  ConstantEvaluator,
  ReadyRewrite,
  Rewrite,
  RewriteContext,
  RewriteRules,
  SweepContext,
} from './rewrite.js';
import { Scopes } from './scopes.js';
import { SizeLedger } from './size-ledger.js';
import { WorkBudget } from './work-budget.js';
import { isAttached, Worklist } from './worklist.js';

export interface RunRewritesOptions {
  /** Which operators the result may use; default `portable`. */
  readonly operators?: AllowedOperators;
  /** Bytes that the file may grow by; default 0. */
  readonly growthBytes?: number;
  /** Most memory that computing constants may take, in bytes; no limit when absent. */
  readonly memoryBytes?: number;
  readonly gate?: RewriteGate;
  readonly evaluate?: ConstantEvaluator;
  readonly signal?: AbortSignal;
  /** Called after each change, while the model is sound. */
  readonly onApplied?: (applied: AppliedRewrite) => void;
}

/** A node as reports speak of it. */
export interface RewrittenNode {
  /** Its name, or its first output's where it has none. */
  readonly label: string;
  readonly opType: string;
}

/** One change that was made. */
export interface AppliedRewrite {
  readonly pass: string;
  readonly nodes: readonly RewrittenNode[];
  /** What stands in their place, where one node does. */
  readonly into?: RewrittenNode;
  /** Nodes more (or, negative, fewer) than before. */
  readonly nodesDelta: number;
  /** Bytes that the file gains; negative when it shrinks. */
  readonly bytesDelta: number;
  readonly detail?: string;
}

/** A pattern that was nearly there. */
export interface NearMiss {
  readonly pass: string;
  readonly node: string;
  readonly opType: string;
  readonly reason: string;
}

export interface RewriteOutcome {
  readonly applied: readonly AppliedRewrite[];
  readonly refusals: readonly NearMiss[];
  /** How often the stages were gone through. */
  readonly rounds: number;
  /** False when the gate's limit, or the bound on changes or rounds, ended the run before nothing was left to do. */
  readonly settled: boolean;
  /** Bytes gained; negative when the model shrank. */
  readonly growthBytes: number;
}

/** Changes a node of the original after which something goes in circles. */
const MOST_CHANGES_A_NODE = 40;
/** How often a stage is gone through again, each time with types inferred anew, ... */
const LEAST_SWEEPS = 40;
/** ... and as often again as so many nodes allow: where each round makes one change, a large model would take for ever. */
const SWEPT_NODES = 4_000_000;

/**
 * Runs stages of passes on a model, in place, until none of them changes anything. Within a stage all passes share one
 * list of work: a node is looked at when it, or something near it, changed. Types are inferred before each stage.
 * @throws SO8130 when the signal is aborted
 */
export async function runRewrites(
  model: Model,
  stages: readonly (readonly ReadyRewrite[])[],
  options: RunRewritesOptions = {},
): Promise<RewriteOutcome> {
  const driver = new Driver(model, options);
  model.observer = driver.worklist;
  try {
    return await driver.run(stages.map((stage) => driver.prepare(stage)));
  } finally {
    model.observer = undefined;
    if (driver.applied.length > 0) uniquifyNodeNames(model);
  }
}

/** A pass in a stage, with the rules of this run. */
interface Member {
  readonly ready: ReadyRewrite;
  readonly rules: RewriteRules;
  readonly context: SweepContext;
}

interface Stage {
  readonly members: readonly Member[];
  /** Members with `match`, in order, by the operator they start from. */
  readonly byRoot: ReadonlyMap<string, readonly Member[]>;
  readonly everywhere: readonly Member[];
}

class Driver {
  readonly applied: AppliedRewrite[] = [];
  readonly worklist: Worklist;
  readonly #model: Model;
  readonly #options: RunRewritesOptions;
  readonly #ledger: SizeLedger;
  readonly #scopes: Scopes;
  readonly #nearMisses: Map<Node, Map<string, string>> = new Map();
  readonly #mostChanges: number;
  readonly #budget: WorkBudget;
  #sweepsLeft: number;
  #elements: ReadonlyMap<Value, Elements> = new Map();
  #inferredAt = -1;
  #stopped = false;

  constructor(model: Model, options: RunRewritesOptions) {
    this.#model = model;
    this.#options = options;
    this.#ledger = new SizeLedger(options.growthBytes ?? 0);
    this.#scopes = new Scopes(model);
    let nodes = 0;
    for (const _ of allNodes(model)) nodes++;
    this.#budget = new WorkBudget(nodes);
    // One of its own: where telling readers of changes takes too much, passes may look at wide nodes all the same.
    this.worklist = new Worklist(this.#ledger, new WorkBudget(nodes));
    this.#sweepsLeft = LEAST_SWEEPS + Math.ceil(SWEPT_NODES / (nodes + 1));
    this.#mostChanges = MOST_CHANGES_A_NODE * (nodes + 25);
  }

  prepare(passes: readonly ReadyRewrite[]): Stage {
    const members: Member[] = [];
    const byRoot = new Map<string, Member[]>();
    const everywhere: Member[] = [];
    for (const ready of passes) {
      if (ready.ortOnly && this.#options.operators !== 'ort') continue;
      const member = { ready, rules: ready.rules(), context: this.#contextOf(ready) };
      members.push(member);
      if (!member.rules.match) continue;
      if (ready.roots === '*') everywhere.push(member);
      else
        for (const root of ready.roots) {
          const list = byRoot.get(root);
          if (list) list.push(member);
          else byRoot.set(root, [member]);
        }
    }
    return { members, byRoot, everywhere };
  }

  async run(stages: readonly Stage[]): Promise<RewriteOutcome> {
    let rounds = 0;
    for (let before = -1; before !== this.applied.length && !this.#stopped; ) {
      before = this.applied.length;
      rounds++;
      for (const stage of stages) await this.#runStage(stage);
    }
    return {
      applied: this.applied,
      refusals: this.#refusals(),
      rounds,
      settled: !this.#stopped,
      growthBytes: this.#ledger.growthBytes,
    };
  }

  /** Repeats a stage, with types inferred anew, until it changes nothing. */
  async #runStage(stage: Stage): Promise<void> {
    for (let before = -1; before !== this.applied.length && !this.#stopped; ) {
      before = this.applied.length;
      if (this.#sweepsLeft-- <= 0) {
        this.#stopped = true;
        return;
      }
      this.#infer();
      for (const node of allNodes(this.#model)) this.worklist.add(node);
      for (const { rules, context } of stage.members) if (!this.#stopped) rules.sweep?.(context);
      this.#drain(stage);
      for (const { rules, context } of stage.members) {
        if (this.#stopped || !rules.settle) continue;
        await rules.settle(context);
        this.#checkSignal();
        this.#drain(stage);
      }
    }
  }

  #drain(stage: Stage): void {
    for (let node = this.worklist.take(); node && !this.#stopped; node = this.worklist.take()) {
      this.#checkSignal();
      this.#lookAt(node, stage);
    }
  }

  #lookAt(node: Node, stage: Stage): void {
    // A node of thousands of inputs hears of every change of each, and passes look at all of them.
    if (!this.#budget.spend(node.inputs.length + node.outputs.length)) return;
    const own = stage.byRoot.get(operatorName(node)) ?? [];
    for (const member of own) if (this.#try(member, node)) return;
    for (const member of stage.everywhere) if (this.#try(member, node)) return;
  }

  /** True when the node was changed or may have gone: whoever else wants it comes again by the list. */
  #try({ ready, rules, context }: Member, node: Node): boolean {
    const opset = this.#scopes.opset(node);
    const [from, to] = ready.opset;
    if (opset < from || (to !== null && opset > to)) return false;
    if (ready.mainGraphOnly && node.graph !== this.#model.graph) return false;
    const match = rules.match?.(node, context);
    if (match === undefined) {
      this.#nearMisses.get(node)?.delete(ready.name);
      return false;
    }
    if (typeof match === 'string') {
      this.#refuse(ready.name, node, match);
      return false;
    }
    if (!this.#perform(ready.name, match)) return false;
    if (!node.removed) this.worklist.add(node);
    return true;
  }

  #perform(pass: string, rewrite: Rewrite): boolean {
    if (this.#stopped) return false;
    const { gate } = this.#options;
    const nodes = rewrite.nodes.map((node) => ({ label: nodeLabel(node), opType: operatorName(node) }));
    const label = nodes[0]?.label ?? '';
    if (gate?.isForbidden?.(pass, label)) return false;
    if (this.applied.length >= Math.min(gate?.limit ?? Number.POSITIVE_INFINITY, this.#mostChanges)) {
      this.#stopped = true;
      return false;
    }
    const records = rewrite.nodes.map(recordNode);
    const inserted = this.worklist.insertedNodes;
    const removed = this.worklist.removedNodes;
    const bytes = this.#ledger.growthBytes;
    const into = rewrite.apply();
    for (const node of rewrite.nodes) removeUnused(node);
    if (into && !into.removed) keepProvenance(records, into);
    const applied: AppliedRewrite = {
      pass,
      nodes,
      ...(into ? { into: { label: nodeLabel(into), opType: operatorName(into) } } : {}),
      nodesDelta: this.worklist.insertedNodes - inserted - (this.worklist.removedNodes - removed),
      bytesDelta: this.#ledger.growthBytes - bytes,
      ...(rewrite.detail === undefined ? {} : { detail: rewrite.detail }),
    };
    this.applied.push(applied);
    this.#options.onApplied?.(applied);
    return true;
  }

  #refuse(pass: string, node: Node, reason: string): void {
    const known = this.#nearMisses.get(node);
    if (known) known.set(pass, reason);
    else this.#nearMisses.set(node, new Map([[pass, reason]]));
  }

  #refusals(): NearMiss[] {
    const refusals: NearMiss[] = [];
    for (const [node, reasons] of this.#nearMisses) {
      if (!isAttached(node)) continue;
      for (const [pass, reason] of reasons)
        refusals.push({ pass, node: nodeLabel(node), opType: operatorName(node), reason });
    }
    return refusals;
  }

  #contextOf(ready: ReadyRewrite): SweepContext {
    const options = this.#options;
    const base: RewriteContext = {
      model: this.#model,
      operators: options.operators ?? 'portable',
      opset: (at: Node | Graph, domain?: string) => this.#scopes.opset(at, domain),
      elements: (value) => this.#elementsOf(value),
      constant: constantTensor,
      mayGrow: (bytes) => this.#ledger.mayGrow(bytes),
      maySearch: (count) => this.#budget.spend(count),
      memoryBytes: options.memoryBytes ?? Number.POSITIVE_INFINITY,
      evaluate: options.evaluate,
    };
    return {
      ...base,
      perform: (rewrite) => this.#perform(ready.name, rewrite),
      refuse: (node, reason) => this.#refuse(ready.name, node, reason),
    };
  }

  #elementsOf(value: Value | undefined): Elements | undefined {
    if (!value) return undefined;
    const constant = constantTensor(value);
    return constant ? tensorElements(constant) : this.#elements.get(value);
  }

  #infer(): void {
    if (this.#inferredAt === this.worklist.edits) return;
    for (const graph of allGraphs(this.#model)) sortGraph(graph);
    this.#elements = inferTypes(this.#model).elements;
    this.#inferredAt = this.worklist.edits;
  }

  #checkSignal(): void {
    if (this.#options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
  }
}
