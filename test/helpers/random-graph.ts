/**
 * Graphs of real operators that load and run in ONNX Runtime, made from a seed: layers as exporters write them, what
 * optimizers look for, and what only looks like it. Each can be fed in two ways, with other sizes for the symbols.
 */
import { createRandom, type Random } from '../../src/tensor/random.js';
import { CONTROL } from './random-graph/control.js';
import { ELEMENTWISE } from './random-graph/elementwise.js';
import { LINEAR, symbol } from './random-graph/linear.js';
import { PAIRS } from './random-graph/pairs.js';
import { PATTERNS } from './random-graph/patterns.js';
import { type Block, type FedInput, fixed, type Item, type Program, Scope, type Size } from './random-graph/scope.js';
import { SHAPES } from './random-graph/shapes.js';

export interface RandomGraph {
  readonly text: string;
  /** What must be fed, with the sizes of each way. */
  readonly inputs: readonly FedInput[];
  /** False where both ways are the same. */
  readonly symbolic: boolean;
  /** True where numbers of 16 bits are involved. */
  readonly half: boolean;
}

/** Which blocks a graph is mostly made of: patterns meet each other more often so. */
const THEMES: readonly (readonly (readonly [weight: number, blocks: readonly Block[]])[])[] = [
  [
    [5, LINEAR],
    [3, ELEMENTWISE],
    [1, SHAPES],
    [1, PAIRS],
    [1, PATTERNS],
    [1, CONTROL],
  ],
  [
    [1, LINEAR],
    [2, ELEMENTWISE],
    [1, SHAPES],
    [5, PATTERNS],
    [1, CONTROL],
  ],
  [
    [1, LINEAR],
    [2, ELEMENTWISE],
    [5, SHAPES],
    [2, PAIRS],
    [1, CONTROL],
  ],
  [
    [1, LINEAR],
    [5, ELEMENTWISE],
    [2, SHAPES],
    [1, PAIRS],
    [1, PATTERNS],
    [1, CONTROL],
  ],
  [
    [1, LINEAR],
    [1, ELEMENTWISE],
    [1, SHAPES],
    [1, PAIRS],
    [1, PATTERNS],
    [1, CONTROL],
  ],
];
const OPSETS = [9, 10, 11, 12, 13, 13, 14, 16, 17, 17, 18, 18, 19, 20, 20, 21, 22, 23, 23, 24];
/** Of the second symbol, the second time: now and then what broadcasts, or nothing at all. */
const SECOND_SIZES = [5, 5, 5, 5, 5, 5, 1, 1, 1, 0];
const DECLARED = [
  'symbols',
  'symbols',
  'symbols',
  'symbols',
  'symbols',
  'symbols',
  'unknown sizes',
  'unknown ranks',
] as const;
const MOST_TRIES = 40;

/** @param blocks at most this many blocks; the same seed with fewer gives the beginning of the same graph */
export function randomGraph(seed: number, blocks = Number.POSITIVE_INFINITY): RandomGraph {
  const random = createRandom(seed, 77);
  const symbolic = random.float() < 0.6;
  const program = newProgram(random, symbolic);
  const main = new Scope(program, 'main');
  const theme = THEMES[random.integer(THEMES.length)] ?? [];
  startingInputs(main);
  const wanted = Math.min(blocks, 2 + random.integer(7));
  for (let made = 0, tries = 0; made < wanted && tries < MOST_TRIES; tries++)
    if (chooseBlock(random, theme)(main)) made++;
  const outputs = chooseOutputs(main);
  const opsets = ['', ...program.domains].map((domain) => `"${domain}": ${domain === '' ? program.opset : 1}`);
  const early = program.constantsAreInputs ? 3 : random.float() < 0.2 && program.functionTexts.length === 0 ? 7 : 8;
  const irVersion = program.opset >= 21 && early !== 3 ? 10 : early;
  const header = `<ir_version: ${irVersion}, opset_import: [${opsets.join(', ')}]>`;
  const outputTexts = outputs.map((item) => `${outputType(main, item)} ${item.name}`);
  const text = [header, main.body('g', program.inputTexts, outputTexts), ...program.functionTexts].join('\n');
  return { text, inputs: program.inputs, symbolic, half: text.includes('float16') || text.includes('to = 10') };
}

function newProgram(random: Random, symbolic: boolean): Program {
  const second: readonly [string, Size][] = [
    ['N', [2, 3]],
    ['S', [4, SECOND_SIZES[random.integer(SECOND_SIZES.length)] ?? 5]],
  ];
  const symbols = new Map(second.map(([name, size]) => [name, symbolic ? size : fixed(size[0])]));
  return {
    random,
    opset: OPSETS[random.integer(OPSETS.length)] ?? 17,
    constantsAreInputs: random.float() < 0.04,
    declares: DECLARED[random.integer(DECLARED.length)] ?? 'symbols',
    symbols,
    inputs: [],
    inputTexts: [],
    functionTexts: [],
    domains: new Set(),
    names: 0,
  };
}

/** One or two inputs of the usual shapes; more come where blocks ask for them. */
function startingInputs(scope: Scope): void {
  const [n, s] = [symbol(scope, 'N'), symbol(scope, 'S')];
  const shapes = [
    [n, s, fixed(8)],
    [n, fixed(3), fixed(6), fixed(5)],
    [n, fixed(4), fixed(4), fixed(6)],
    [n, fixed(6)],
    [s, n, fixed(4)],
  ];
  for (let left = 1 + scope.below(2); left > 0; left--) scope.input('float', scope.choose(shapes));
  if (scope.chance(0.2)) scope.input('int64', [n, s], 3);
  if (scope.chance(0.1)) scope.input('double', [n, fixed(4)]);
  if (scope.chance(0.1)) scope.input('float16', [n, s, fixed(8)]);
}

function chooseBlock(random: Random, theme: readonly (readonly [number, readonly Block[]])[]): Block {
  let at = random.integer(theme.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, blocks] of theme) {
    if (at < weight) return blocks[random.integer(blocks.length)] as Block;
    at -= weight;
  }
  return () => false;
}

/** What nobody reads, most of it, and some of what is read too. */
function chooseOutputs(scope: Scope): Item[] {
  const results = scope.items.filter(({ name }) => name.startsWith('v'));
  const sinks = results.filter(({ name }) => !scope.used.has(name));
  const outputs = sinks.filter(() => scope.chance(0.9));
  outputs.push(...results.filter(({ name }) => scope.used.has(name) && scope.chance(0.08)));
  if (outputs.length === 0) outputs.push(...(results.length > 0 ? [results.at(-1) as Item] : []));
  if (outputs.length === 0) outputs.push(scope.same('Neg', [scope.items[0] as Item]));
  return outputs;
}

/** Outputs are declared with their sizes, with less, or without a rank. */
function outputType(scope: Scope, item: Item): string {
  return scope.chance(0.1) && item.sizes.length > 0 ? `${item.type}[]` : scope.typeText(item);
}
