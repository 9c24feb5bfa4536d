/** The structure of well-known networks, with random weights: what half of everything leaves, and that it is the same function. */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { constantTensor } from '../../src/ir/walk.js';
import { modelCost } from '../../src/ops/cost.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { cutUnits } from '../../src/passes/prune/cut-units.js';
import { findDependencies } from '../../src/prune/dependency-groups.js';
import { explainDependencies } from '../../src/prune/explain-dependencies.js';
import { DataType } from '../../src/tensor/dtype.js';
import { createRandom } from '../../src/tensor/random.js';
import { chooseUnits, compareCut } from '../helpers/cut-exactness.js';
import { FuzzRuntime } from '../helpers/fuzz-runtime.js';
import type { FeedTensor } from '../helpers/random-feeds.js';
import { IMAGE_TOPOLOGIES } from '../helpers/topologies/images.js';
import { SEQUENCE_TOPOLOGIES } from '../helpers/topologies/sequences.js';

const runtime = await FuzzRuntime.load();

interface Size {
  readonly parameters: number;
  readonly macs: number;
}

const SYMBOLS = new Map([
  ['N', 1],
  ['S', 8],
]);

function sizeOf(model: Model): Size {
  inferTypes(model);
  let parameters = 0;
  for (const value of model.graph.initializers) {
    const tensor = constantTensor(value);
    if (tensor && tensor.dataType === DataType.FLOAT && value.uses.size > 0) parameters += tensor.size;
  }
  return { parameters, macs: modelCost(model, { symbols: SYMBOLS }).macs };
}

/** Half of every group, and what is left beside what the same topology of half the width has. */
function halved(model: Model, half: Model): { readonly left: Size; readonly wanted: Size } {
  const before = sizeOf(model);
  const wanted = sizeOf(half);
  const dependencies = findDependencies(model);
  cutUnits(model, dependencies, chooseUnits(dependencies, 0.5, createRandom(1)));
  const after = sizeOf(model);
  const ratio = (a: Size, b: Size): Size => ({ parameters: a.parameters / b.parameters, macs: a.macs / b.macs });
  return { left: ratio(after, before), wanted: ratio(wanted, before) };
}

/** The most that may be left of parameters and multiply-accumulates, where the issue of the tracker says so. */
const BARS: Readonly<Record<string, Partial<Size>>> = {
  'ResNet-18': { parameters: 0.27, macs: 0.27 },
  'ResNet-50': { parameters: 0.29 },
  MobileNetV2: { parameters: 0.36 },
};

describe('half of every group of an image network', () => {
  for (const [name, build] of Object.entries(IMAGE_TOPOLOGIES))
    it(`leaves of ${name} what the network of half the width has`, () => {
      const { left, wanted } = halved(build({ scale: 1, share: 1 }), build({ scale: 1, share: 0.5 }));
      expect(Math.abs(left.parameters - wanted.parameters)).toBeLessThan(0.02);
      expect(Math.abs(left.macs - wanted.macs)).toBeLessThan(0.02);
      expect(left.parameters).toBeLessThan(BARS[name]?.parameters ?? 1);
      expect(left.macs).toBeLessThan(BARS[name]?.macs ?? 1);
    });
});

describe('half of every group of a sequence network', () => {
  for (const [name, build] of Object.entries(SEQUENCE_TOPOLOGIES))
    it(`leaves of ${name} what the network with half of the heads and hidden units has`, () => {
      const { left, wanted } = halved(build({ share: 1 }), build({ share: 0.5 }));
      expect(Math.abs(left.parameters - wanted.parameters)).toBeLessThan(0.02);
      expect(Math.abs(left.macs - wanted.macs)).toBeLessThan(0.02);
    });
});

function feedsFor(model: Model): Map<string, FeedTensor> {
  const random = createRandom(9);
  return new Map(
    model.graph.inputs.map((value) => {
      const type = value.type?.kind === 'tensor' ? value.type : undefined;
      const dims = (type?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : dim === 'N' ? 2 : 5));
      const count = dims.reduce((a, b) => a * b, 1);
      const isIds = type?.dataType === DataType.INT64;
      const data = isIds
        ? BigInt64Array.from({ length: count }, () => BigInt(random.integer(100)))
        : Float32Array.from({ length: count }, () => random.normal());
      return [value.name, { type: isIds ? 'int64' : 'float32', dims, data }];
    }),
  );
}

describe('cutting a well-known network', () => {
  const small: Record<string, () => Model> = {};
  for (const [name, build] of Object.entries(IMAGE_TOPOLOGIES)) small[name] = () => build({ scale: 0.25, share: 1 });
  for (const [name, build] of Object.entries(SEQUENCE_TOPOLOGIES)) small[name] = () => build({ share: 1 });
  for (const [name, build] of Object.entries(small))
    it(`leaves ${name} the function of the network that does not see what is cut`, async () => {
      const model = build();
      const feeds = feedsFor(model);
      for (const [at, amount] of [0.2, 0.5, 0.9].entries()) {
        const { relative, groups, silent } = await compareCut(model, { amount, seed: at, feeds }, runtime);
        expect(groups).toBeGreaterThan(0);
        expect(relative).toBeLessThan(1e-5);
        expect(silent).toBe(false);
      }
    });
});

describe('explaining what stays', () => {
  for (const [name, build] of Object.entries({ ...IMAGE_TOPOLOGIES, ...SEQUENCE_TOPOLOGIES }))
    it(`gives a reason that names a node or the interface for every axis of ${name} that stays`, () => {
      const model = build({ scale: 0.25, share: 1 });
      for (const axis of explainDependencies(model)) {
        if (axis.prunable === axis.size) continue;
        expect(axis.reasons.length, JSON.stringify(axis)).toBeGreaterThan(0);
        for (const reason of axis.reasons) expect(reason).toMatch(/\(\w+ \S+\)|graph (in|out)put "/);
      }
    });
});
