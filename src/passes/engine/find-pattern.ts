import { bug } from '../../errors.js';
import { operatorName } from '../../ir/diff.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { COMMUTATIVE } from '../../ops/traits.js';
import { scalarOf, standsFor } from '../scalar.js';
import { rankOf } from '../types.js';
import { hasReference } from './operands.js';
import { type Answer, isChain, type OpPattern, type Pattern, type PatternMatch, patternSize } from './pattern.js';
import type { RewriteContext } from './rewrite.js';

/**
 * Looks for a pattern that ends at `root`. All its nodes stand in the same graph, and nothing else reads the values
 * between them. Gives what was found; undefined where the pattern is not there; and where all its nodes were there the
 * condition that failed, for `--explain`.
 */
export function findPattern(pattern: Pattern, root: Node, context: RewriteContext): PatternMatch | string | undefined {
  return new Search(pattern, root, context).run();
}

/** The first of several patterns that is there, else the first near miss. `use` may turn a match down with a reason of its own. */
export function firstPattern<T extends object>(
  patterns: readonly Pattern[],
  root: Node,
  context: RewriteContext,
  use: (found: PatternMatch) => T | string | undefined,
): T | string | undefined {
  let reason: string | undefined;
  for (const pattern of patterns) {
    const found = findPattern(pattern, root, context);
    const result = typeof found === 'object' ? use(found) : found;
    if (typeof result === 'object') return result;
    reason ??= result;
  }
  return reason;
}

/** What is to be matched after this part; false to make this part try something else. */
type Then = () => boolean;

/** Fewer nodes than this are no evidence: a Mul of anything is not nearly a Swish. */
const EVIDENCE = 4;

/** Where an operand stands: a node and what else it reads. */
interface Place {
  readonly node: Node;
  readonly slot: number;
}

/** A search with backtracking: each part is matched, then the rest (`then`); where the rest fails the part is undone. */
class Search implements PatternMatch {
  readonly context: RewriteContext;
  readonly #pattern: Pattern;
  readonly #root: Node;
  readonly #size: number;
  readonly #names: Map<string, Value> = new Map();
  readonly #trail: { readonly node: Node; readonly pattern: OpPattern }[] = [];
  #strongest = 0;
  #reason: string | undefined;

  constructor(pattern: Pattern, root: Node, context: RewriteContext) {
    this.#pattern = pattern;
    this.#root = root;
    this.context = context;
    this.#size = patternSize(pattern);
  }

  run(): PatternMatch | string | undefined {
    return this.#rootedIn(this.#pattern) ? this : this.#reason;
  }

  get nodes(): readonly Node[] {
    return [...new Set(this.#trail.map(({ node }) => node))];
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  value(name: string): Value {
    const value = this.#names.get(name);
    if (!value) throw bug(`the pattern has no "${name}"`);
    return value;
  }

  node(name: string): Node {
    const { producer } = this.value(name);
    if (!producer) throw bug(`"${name}" of the pattern is not a node`);
    return producer;
  }

  number(name: string): number {
    return scalarOf(this.context.constant(this.value(name))) ?? Number.NaN;
  }

  #rootedIn(pattern: Pattern): boolean {
    if (pattern.kind === 'either') return pattern.patterns.some((one) => this.#rootedIn(one));
    return pattern.kind === 'op' && this.#op(pattern, this.#root, () => this.#closed());
  }

  #value(pattern: Pattern, value: Value | undefined, place: Place, then: Then): boolean {
    if (!value) return false;
    switch (pattern.kind) {
      case 'value':
        return this.#bind(pattern.name, value, () => this.#holds(pattern.where?.(value, this)) && then());
      case 'constant': {
        const tensor = this.context.constant(value);
        if (!tensor) return this.#differs(`"${value.name}" is not constant`);
        return this.#bind(pattern.name, value, () => this.#holds(pattern.where?.(tensor, this)) && then());
      }
      case 'scalar': {
        const number = scalarOf(this.context.constant(value));
        if (number === undefined) return this.#differs(`"${value.name}" is not a scalar constant`);
        const test = () => this.#holds(this.#isScalar(pattern.expected, number, value, place));
        return this.#bind(pattern.name, value, () => test() && this.#holds(pattern.where?.(number, this)) && then());
      }
      case 'either':
        return pattern.patterns.some((one) => this.#value(one, value, place, then));
      case 'op':
        if (!value.producer || value.outputIndex !== (pattern.output ?? 0)) return false;
        return this.#op(pattern, value.producer, then);
    }
  }

  #op(pattern: OpPattern, node: Node, then: Then): boolean {
    const type = operatorName(node);
    if (!pattern.opTypes.has(type) || node.graph !== this.#root.graph) return false;
    if (hasReference(node)) return this.#differs(`an attribute of "${nodeLabel(node)}" is unknown`);
    const { operands } = pattern;
    const complete = () => this.#holds(pattern.where?.(node, this)) && then();
    const inside = (match: () => boolean) =>
      this.#bind(pattern.name, node.outputs[pattern.output ?? 0], () => this.#through(pattern, node, match));
    if (isChain(pattern)) return inside(() => this.#chain(pattern, placesOf(node), 0, complete));
    const places = placesOf(node);
    if (places.length < operands.length || (places.length > operands.length && !pattern.moreInputs)) return false;
    if (COMMUTATIVE.has(type) && !pattern.moreInputs)
      return inside(() => this.#anyOrder(pattern.largestFirst, places, complete));
    return inside(() => this.#inOrder(operands, places, complete));
  }

  #inOrder(operands: readonly Pattern[], places: readonly Place[], then: Then): boolean {
    const [operand, ...others] = operands;
    const [place, ...rest] = places;
    if (!operand || !place) return then();
    return this.#value(operand, valueAt(place), place, () => this.#inOrder(others, rest, then));
  }

  #anyOrder(operands: readonly Pattern[], places: readonly Place[], then: Then): boolean {
    const [operand, ...others] = operands;
    if (!operand) return then();
    const tried = new Set<Value | undefined>();
    return places.some((place, index) => {
      const value = valueAt(place);
      if (tried.has(value)) return false;
      tried.add(value);
      return this.#value(operand, value, place, () => this.#anyOrder(others, places.toSpliced(index, 1), then));
    });
  }

  /** Opens nodes of the same operator until there are as many places as operands; places before `from` stay as they are. */
  #chain(pattern: OpPattern, places: readonly Place[], from: number, then: Then): boolean {
    if (places.length === pattern.operands.length) return this.#anyOrder(pattern.largestFirst, places, then);
    return places.slice(from).some((place, index) => {
      const inner = valueAt(place)?.producer;
      if (!inner || !pattern.opTypes.has(operatorName(inner)) || inner.graph !== this.#root.graph) return false;
      const opened = places.toSpliced(from + index, 1, ...placesOf(inner));
      return this.#through(pattern, inner, () => this.#chain(pattern, opened, from + index, then));
    });
  }

  #through(pattern: OpPattern, node: Node, match: () => boolean): boolean {
    this.#trail.push({ node, pattern });
    if (match()) return true;
    this.#trail.pop();
    return false;
  }

  #bind(name: string | undefined, value: Value | undefined, then: Then): boolean {
    if (!value) return false;
    if (name === undefined) return then();
    const bound = this.#names.get(name);
    if (bound === value) return then();
    if (bound) return this.#differs(`"${bound.name}" and "${value.name}" are not the same`);
    this.#names.set(name, value);
    if (then()) return true;
    this.#names.delete(name);
    return false;
  }

  #holds(answer: Answer | undefined): boolean {
    return typeof answer === 'string' ? this.#miss(answer) : (answer ?? true);
  }

  /** A constant of rank 1 or more would give a scalar, or a value of unknown rank, more axes than the pattern tells of. */
  #isScalar(expected: number | undefined, number: number, value: Value, { node, slot }: Place): Answer {
    const tensor = this.context.constant(value);
    if (expected !== undefined && !standsFor(number, expected, tensor?.dataType ?? 0))
      return `"${value.name}" is ${Number(number.toPrecision(7))}, not ${Number(expected.toPrecision(7))}`;
    const rank = tensor?.rank ?? 0;
    const others = node.inputs.filter((_, other) => other !== slot);
    return rank === 0 || others.some((other) => (rankOf(other) ?? 0) >= rank) || `"${value.name}" may add axes`;
  }

  /** Nothing outside the pattern may read what it computes on the way. */
  #closed(): boolean {
    const inside = new Set(this.#trail.map(({ node }) => node));
    for (const { node, pattern } of this.#trail) {
      if (node === this.#root || pattern.mayStay) continue;
      for (const output of node.outputs) {
        if (!output) continue;
        if (output.isGraphOutput || output.pinned) return this.#miss(`"${output.name}" is an output of its graph`);
        for (const use of output.uses)
          if (!inside.has(use.node)) return this.#miss(`"${output.name}" is also used elsewhere`);
      }
    }
    return true;
  }

  /** A condition does not hold. The reason is kept if all nodes were found on this way, and more than on any other. */
  #miss(reason: string, strength = 1): false {
    const found = new Set(this.#trail.map(({ node }) => node)).size;
    if (found < this.#size) return false;
    const total = 2 * found + strength;
    if (total <= this.#strongest) return false;
    this.#strongest = total;
    this.#reason = reason;
    return false;
  }

  /** Another value is here: worth telling where all nodes of a large pattern are there, and weaker than a condition. */
  #differs(reason: string): false {
    return this.#size >= EVIDENCE && this.#trail.length >= this.#size && this.#miss(reason, 0);
  }
}

function placesOf(node: Node): Place[] {
  const places = node.inputs.map((_, slot) => ({ node, slot }));
  while (places.length > 0 && node.input(places.length - 1) === undefined) places.pop();
  return places;
}

function valueAt({ node, slot }: Place): Value | undefined {
  return node.input(slot);
}
