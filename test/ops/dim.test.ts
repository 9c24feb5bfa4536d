import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dim } from '../../src/ir/type.js';
import {
  addDims,
  atLeast,
  ceilDivideDim,
  divideDimsExactly,
  divideProducts,
  evaluateDim,
  floorDivideDim,
  isNonNegative,
  maxDims,
  minDims,
  multiplyDims,
  productOfDims,
  subtractDims,
  symbolsOf,
} from '../../src/ops/dim.js';

describe('symbolic dimensions', () => {
  const cases: readonly [title: string, got: Dim, want: Dim][] = [
    ['sums collect terms', addDims('seq', addDims('seq', 1)), '2*seq+1'],
    ['a difference of equals is 0', subtractDims('batch-size', 'batch-size'), 0],
    ['minus is written with spaces', subtractDims('seq', 1), 'seq - 1'],
    ['a hyphen belongs to the name', addDims('batch-size', 1), 'batch-size+1'],
    ['what was added can be taken away', subtractDims(addDims('past', 'seq'), 'past'), 'seq'],
    ['products expand', multiplyDims(addDims('h', 1), addDims('w', 2)), 'h*w+2*h+w+2'],
    ['zero absorbs the unknown', multiplyDims(0, undefined), 0],
    ['one keeps the unknown', multiplyDims(1, undefined), undefined],
    ['floors keep their remainder', floorDivideDim(addDims('h', 1), 2), 'floor((h+1)/2)'],
    ['the even part leaves the floor', floorDivideDim(addDims(multiplyDims('h', 2), 5), 2), 'h+2'],
    [
      'floors of floors become one',
      floorDivideDim(addDims(floorDivideDim(addDims('h', 1), 2), 1), 2),
      'floor((h+3)/4)',
    ],
    ['ceilings are floors', ceilDivideDim('h', 2), 'floor((h+1)/2)'],
    ['common factors leave the floor', floorDivideDim(addDims(multiplyDims('h', 4), 2), 8), 'floor(h/2)'],
    ['exact division by a product', divideDimsExactly(multiplyDims('b', multiplyDims('s', 768)), 'b'), '768*s'],
    ['division by a sum', divideDimsExactly(addDims(multiplyDims('b', 's'), 'b'), addDims('s', 1)), 'b'],
    ['no exact quotient', divideDimsExactly('b', 2), undefined],
    ['products cancel', divideProducts(['b', 's', 768], ['b', 12, 64]), 's'],
    ['division by zero', divideProducts(['b'], [0]), undefined],
    ['opaque names equal themselves', subtractDims('not (an expression', 'not (an expression'), 0],
    ['opaque names do not calculate', addDims('not (an expression', 1), undefined],
    ['overflow is unknown', multiplyDims(2 ** 40, 2 ** 40), undefined],
    ['overflow of a coefficient is unknown', multiplyDims(multiplyDims('n', 2 ** 40), 2 ** 40), undefined],
    ['empty product', productOfDims([]), 1],
    ['spaces of other tools are read', addDims('2*seq + 1', 1), '2*seq+2'],
    ['the greater where provable', maxDims('seq', addDims('seq', 2)), 'seq+2'],
    ['the greater where not provable', maxDims('seq', 4), 'max(4,seq)'],
    ['the lesser where not provable', minDims('seq', 512), 'min(512,seq)'],
    ['a limit is not above what it limits', maxDims('seq', minDims('seq', 512)), 'seq'],
    ['the rest behind a limit is not negative', maxDims(subtractDims('seq', minDims('seq', 2)), 0), 'seq - min(2,seq)'],
  ];
  it.each(cases)('%s', (_, got, want) => {
    expect(got).toBe(want);
  });

  it('takes no symbol to be above 0', () => {
    expect(atLeast('seq', 0)).toBe(true);
    expect(atLeast('seq', 1)).toBe(false);
    expect(isNonNegative(subtractDims('seq', 1))).toBe(false);
  });

  it('lists symbols inside floors, once each', () => {
    expect(symbolsOf('floor((h+w+1)/2)*h').sort()).toEqual(['h', 'w']);
  });

  it('does not grow without bound', () => {
    let dim: Dim = 'a_rather_long_symbol_name';
    for (let i = 0; i < 40; i++) dim = addDims(multiplyDims(dim, `s${i}`), 1);
    expect(dim).toBeUndefined();
  });

  it('agrees with plain arithmetic for all sizes', () => {
    const symbols = ['h', 'w', 'batch-size'];
    type Pair = readonly [Dim, (at: ReadonlyMap<string, number>) => number];
    const leaf: fc.Arbitrary<Pair> = fc.oneof(
      fc.constantFrom(...symbols).map((name): Pair => [name, (at) => at.get(name) ?? 0]),
      fc.integer({ min: 0, max: 9 }).map((value): Pair => [value, () => value]),
    );
    const { tree } = fc.letrec<{ tree: Pair }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('tree'), tie('tree'), fc.constantFrom('+', '-', '*', 'min', 'max')).map(([a, b, op]): Pair => {
          const [x, f] = a as Pair;
          const [y, g] = b as Pair;
          if (op === '+') return [addDims(x, y), (at) => f(at) + g(at)];
          if (op === '-') return [subtractDims(x, y), (at) => f(at) - g(at)];
          if (op === 'min') return [minDims(x, y), (at) => Math.min(f(at), g(at))];
          if (op === 'max') return [maxDims(x, y), (at) => Math.max(f(at), g(at))];
          return [multiplyDims(x, y), (at) => f(at) * g(at)];
        }),
        fc.tuple(tie('tree'), fc.integer({ min: 1, max: 6 })).map(([a, k]): Pair => {
          const [x, f] = a as Pair;
          return [floorDivideDim(x, k), (at) => Math.floor(f(at) / k)];
        }),
      ),
    }));
    const sizes = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20));
    fc.assert(
      fc.property(tree, sizes, ([dim, compute], values) => {
        const at = new Map(symbols.map((name, i) => [name, values[i] ?? 0]));
        // A size has one zero; the plain arithmetic of -1 · 0 has another, which + 0 makes the same.
        if (dim !== undefined) expect(evaluateDim(dim, at)).toBe(compute(at) + 0);
      }),
      { numRuns: 400 },
    );
  });
});
