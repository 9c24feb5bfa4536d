import type { Graph } from '../../ir/graph.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import type { Elements } from '../../ops/infer-types.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { AllowedOperators } from '../levels.js';
import type { PassDefinition, PassFactory } from '../pass.js';

/** One change that can be made. Matching has no effects; `apply` makes the change and must succeed. */
export interface Rewrite {
  /** The nodes it removes or merges, the one it is known by first. Those left without readers are removed afterwards. */
  readonly nodes: readonly Node[];
  /** Makes the change. Gives the node that stands for `nodes` from now on, if one does: it keeps their names and metadata. */
  apply(): Node | undefined;
  /** What is worth telling of it beside the nodes, for example `2 consumers moved`. */
  readonly detail?: string;
}

/** A rewrite, the reason for a near miss (one clause: `its bias is not constant`), or undefined where the pattern is not there at all. */
export type Match = Rewrite | string | undefined;

/** What every part of a running pass can ask. */
export interface RewriteContext {
  readonly model: Model;
  /** Which operators the result may use. */
  readonly operators: AllowedOperators;
  /** Version of an operator set where `at` stands: a local function has imports of its own. 0 where it is not imported. */
  opset(at: Node | Graph, domain?: string): number;
  /** Known elements of a small integer or float tensor, symbolic sizes included, as of the last type inference. */
  elements(value: Value | undefined): Elements | undefined;
  /** The constant that a value stands for; callers cannot override it. */
  constant(value: Value | undefined): Tensor | undefined;
  /** Whether the model may become this many bytes larger than it is now, by the budget for growth. */
  mayGrow(bytes: number): boolean;
  /**
   * Whether so many readers or inputs may be looked through besides: false once a run has done so much more often than
   * the size of the model explains. Then the pattern is left.
   */
  maySearch(count: number): boolean;
  /** Most memory that computing constants may take, in bytes; Infinity for no limit. */
  readonly memoryBytes: number;
  /** Computes a model without inputs, where the caller gave the means. Gives outputs by name, or why it cannot be run. */
  readonly evaluate: ConstantEvaluator | undefined;
}

/** Runs a model that has no inputs and gives its outputs by name; a sentence where that fails. Never throws for the model. */
export type ConstantEvaluator = (model: Model) => Promise<ReadonlyMap<string, Tensor> | string>;

/** What a sweep, or what comes when the list of work is empty, may do besides asking. */
export interface SweepContext extends RewriteContext {
  /** Makes a change, unless it is one that was forbidden; says whether it was made. */
  perform(rewrite: Rewrite): boolean;
  /** Notes a near miss. */
  refuse(node: Node, reason: string): void;
}

/** The rules of a pass, made anew for each run: they may keep what they learn in between. At least one is there. */
export interface RewriteRules {
  /** Looks at one node that is, or may be, the last node of a pattern; called again when something near it changed. */
  match?(node: Node, context: RewriteContext): Match;
  /** Looks at all graphs, once before the list of work is taken up and again after it changed something. For what is global by nature. */
  sweep?(context: SweepContext): void;
  /** Called when nothing else is left to do; what it changes is work again. */
  settle?(context: SweepContext): Promise<void>;
}

export interface RewriteDefinition<O extends object> extends Omit<PassDefinition<O>, 'run'> {
  /** Operators at which `match` is called: `Conv`, `com.microsoft.Gelu`; `*` for all. */
  readonly roots: readonly string[] | '*';
  /** Only where ONNX Runtime will run the result: it writes operators of its own. */
  readonly ortOnly?: boolean;
  rules(options: O): RewriteRules;
}

/** A rewriting pass with its options set. */
export interface ReadyRewrite {
  readonly name: string;
  readonly roots: readonly string[] | '*';
  readonly opset: readonly [number, number | null];
  readonly ortOnly: boolean;
  readonly mainGraphOnly: boolean;
  rules(): RewriteRules;
}

/** A pass that rewrites patterns: a step for `model.transform`, and a part of `optimize`. */
export interface RewritePassFactory<O extends object> extends PassFactory<O> {
  /** The pass for a pipeline that schedules many together. */
  ready(options?: Partial<O>): ReadyRewrite;
}
