/**
 * What a piece of graph looks like, as data, told from its last node upwards:
 *
 *     const GELU = op('Mul', ['x', 0.5, op('Add', [op('Erf', [op('Div', ['x', Math.SQRT2])]), 1])]);
 *
 * A string is a value by name (the same name twice: the same value), a number a constant of one element. Operands of Add,
 * Mul and other commutative operators match in any order, and three or more of Add or Mul in any grouping as well.
 * `findPattern` (find-pattern.ts) looks for it, with backtracking; where it is found, `match` of a pass says what comes instead:
 *
 *     const found = findPattern(GELU, node, context);
 *     if (typeof found !== 'object') return found;
 *     return { nodes: found.nodes, apply: () => takeOver(node, { opType: 'Gelu', inputs: [found.value('x')] }) };
 */
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { RewriteContext } from './rewrite.js';

/** The answer of a condition: true, or why not; false for what is so far off that nobody wants to hear of it. */
export type Answer = boolean | string;

/** What has been found so far, or in the end. */
export interface PatternMatch {
  readonly context: RewriteContext;
  /** The matched nodes, the last one of the pattern first, each once. */
  readonly nodes: readonly Node[];
  /** True when an optional or alternative part that has this name is there. */
  has(name: string): boolean;
  /** The value that has this name. @throws a bug error where nothing has it: ask `has` before, for what is optional */
  value(name: string): Value;
  /** The node that computes it. */
  node(name: string): Node;
  /** The number in a `scalar` that has this name. */
  number(name: string): number;
}

interface ValuePattern {
  readonly kind: 'value';
  readonly name: string | undefined;
  readonly where: ((value: Value, found: PatternMatch) => Answer) | undefined;
}

interface ConstantPattern {
  readonly kind: 'constant';
  readonly name: string | undefined;
  readonly where: ((tensor: Tensor, found: PatternMatch) => Answer) | undefined;
}

interface ScalarPattern {
  readonly kind: 'scalar';
  readonly name: string | undefined;
  readonly expected: number | undefined;
  readonly where: ((value: number, found: PatternMatch) => Answer) | undefined;
}

interface EitherPattern {
  readonly kind: 'either';
  readonly patterns: readonly Pattern[];
}

/** A node, or for three or more operands of one associative operator several. */
export interface OpPattern extends OpOptions {
  readonly kind: 'op';
  readonly opTypes: ReadonlySet<string>;
  readonly operands: readonly Pattern[];
  /** The same with the largest part first: for operators whose operands are matched in any order. */
  readonly largestFirst: readonly Pattern[];
}

export type Pattern = ValuePattern | ConstantPattern | ScalarPattern | EitherPattern | OpPattern;

/** A pattern, the name of a value, or a scalar constant. */
export type Operand = Pattern | string | number;

export interface OpOptions {
  /** Name of the output that the pattern goes through. */
  readonly name?: string;
  /** Which output that is; default 0. */
  readonly output?: number;
  /** The node may have more inputs than operands are told, for `where` to look at. */
  readonly moreInputs?: boolean;
  /** Others may read its output too: then it stays, and so does all that it reads. By default that is a near miss. */
  readonly mayStay?: boolean;
  /** Looks at attributes and further inputs; called when the operands are found. */
  readonly where?: (node: Node, found: PatternMatch) => Answer;
}

/** A node of one of these operators (`Mul`, `com.microsoft.Gelu`) with these operands. */
export function op(
  opTypes: string | readonly string[],
  operands: readonly Operand[],
  options: OpOptions = {},
): OpPattern {
  const types = typeof opTypes === 'string' ? [opTypes] : opTypes;
  const patterns = operands.map(patternOf);
  const largestFirst = patterns.toSorted((a, b) => patternSize(b) - patternSize(a));
  return { kind: 'op', opTypes: new Set(types), operands: patterns, largestFirst, ...options };
}

/** Any value for which `where` holds. */
export function any(name?: string, where?: ValuePattern['where']): Pattern {
  return { kind: 'value', name, where };
}

/** A constant that callers cannot override. */
export function constant(name?: string, where?: ConstantPattern['where']): Pattern {
  return { kind: 'constant', name, where };
}

/**
 * A constant of one element in any type of numbers, near enough to `expected` for its type (undefined for any number). It
 * must not add axes to what it is combined with.
 */
export function scalar(expected?: number, name?: string, where?: ScalarPattern['where']): Pattern {
  return { kind: 'scalar', name, expected, where };
}

/** The first of these that leads to a match of the whole. */
export function either(...patterns: readonly Operand[]): Pattern {
  return { kind: 'either', patterns: patterns.map(patternOf) };
}

/** `pattern`, with a node of one input after it or not: `maybe('Cast', 'x')`. */
export function maybe(opType: string, pattern: Operand, options: OpOptions = {}): Pattern {
  return either(op(opType, [pattern], options), pattern);
}

function patternOf(operand: Operand): Pattern {
  if (typeof operand === 'string') return any(operand);
  return typeof operand === 'number' ? scalar(operand) : operand;
}

/** How many nodes a match has at least. */
export function patternSize(pattern: Pattern): number {
  if (pattern.kind === 'either') return Math.min(...pattern.patterns.map(patternSize));
  if (pattern.kind !== 'op') return 0;
  const own = isChain(pattern) ? pattern.operands.length - 1 : 1;
  return pattern.operands.reduce((sum, operand) => sum + patternSize(operand), own);
}

/** Binary operators of which several, in any grouping, combine three operands or more. */
const ASSOCIATIVE: ReadonlySet<string> = new Set(['Add', 'Mul']);

/** True for a pattern of several nodes of one associative operator. */
export function isChain({ opTypes, operands }: OpPattern): boolean {
  return operands.length > 2 && [...opTypes].every((type) => ASSOCIATIVE.has(type));
}
