/** GPTQ with 4 bits beside round-to-nearest, on samples that it has not seen, in every product of the transformers of a folder. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { WEIGHT_ONLY_DEFAULTS } from '../../src/passes/quantize/weight-only/weight-only-options.js';
import { planWeights, type WeightUnit } from '../../src/passes/quantize/weight-only/weight-plan.js';
import { changeError, gptq } from '../../src/quantize/nbits/gptq.js';
import { dequantizedMatrix, type PackedMatrix, sourceMatrix } from '../../src/quantize/nbits/nbits-format.js';
import { roundToNearest } from '../../src/quantize/nbits/round-to-nearest.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { layerGrams } from '../../src/workflows/quantize/weight-only/layer-grams.js';
import type { WeightTools } from '../../src/workflows/quantize/weight-only/weight-tools.js';
import { messageOf, modelFiles, print, Suite } from './suite.js';

/** Products from which on a model is a transformer. */
const LEAST_PRODUCTS = 8;
/** Samples to fit to, and to judge by. */
const [FITTED, HELD_OUT] = [128, 64];

/** One row a model that has `calib.npz` and `eval.npz` beside it. */
export async function gptqSuite(folder: string): Promise<Suite> {
  const suite = new Suite(`GPTQ of the products in ${folder}`);
  const runtime = new LazyRuntime();
  try {
    for (const path of modelFiles(folder)) {
      const name = relative(folder, path);
      const [calibration, evaluation] = ['calib.npz', 'eval.npz'].map((file) => join(dirname(path), file));
      if (!calibration || !evaluation || !existsSync(calibration) || !existsSync(evaluation)) {
        suite.skip(`${name} has no calib.npz and eval.npz beside it`);
        continue;
      }
      const model = await readModel(path);
      try {
        await productsOf(name, model, [calibration, evaluation], runtime, suite);
      } catch (error) {
        suite.fail(name, messageOf(error));
      } finally {
        model.source?.close();
      }
    }
  } finally {
    await runtime.close();
  }
  suite.close();
  return suite;
}

async function productsOf(
  name: string,
  model: Model,
  [calibration, evaluation]: readonly [string, string] | string[],
  runtime: LazyRuntime,
  suite: Suite,
): Promise<void> {
  inferTypes(model);
  const { units } = planWeights(model, { ...WEIGHT_ONLY_DEFAULTS, operators: 'ort' }, () => true);
  const products = units.filter(({ layout }) => layout === 'operator');
  if (products.length < LEAST_PRODUCTS) {
    suite.skip(`${name} has ${products.length} products with weights, and is no transformer`);
    return;
  }
  const stages = { advance: () => {} } as unknown as WeightTools['stages'];
  const grams = async (path: string, count: number): Promise<Map<WeightUnit, Float64Array | string>> => {
    const found = new Map<WeightUnit, Float64Array | string>();
    const tools: WeightTools = { runtime, options: {}, stages, fitted: undefined };
    await layerGrams(model, products, tools, { kind: 'data', path, count }, async (unit, gram) => {
      found.set(unit, gram);
    });
    return found;
  };
  const fitted = await grams(calibration ?? '', FITTED);
  const heldOut = await grams(evaluation ?? '', HELD_OUT);
  const ratios: number[] = [];
  for (const unit of products) {
    const [gram, judge] = [fitted.get(unit), heldOut.get(unit)];
    const [source] = unit.sources;
    if (!source || !(gram instanceof Float64Array) || !(judge instanceof Float64Array)) {
      suite.fail(`${name} ${unit.value.name}`, `no second moments: ${String(gram)}`);
      continue;
    }
    const weights = sourceMatrix(source);
    const errorOf = (matrix: PackedMatrix | undefined): number =>
      matrix === undefined
        ? Number.NaN
        : changeError(
            dequantizedMatrix(matrix).map((value, at) => value - (weights[at] as number)),
            source.outputs,
            judge,
          );
    const ratio =
      errorOf(gptq(weights, source.outputs, gram, unit.format)) / errorOf(roundToNearest(source, unit.format));
    ratios.push(ratio);
    if (ratio < 1) suite.pass();
    else suite.fail(`${name} ${unit.value.name}`, `${ratio.toFixed(3)} of the error of round-to-nearest`);
  }
  ratios.sort((a, b) => a - b);
  const [least, middle, most] = [0, Math.floor(ratios.length / 2), ratios.length - 1].map((at) => ratios[at]);
  print(
    `${name}: ${ratios.length} products, held-out error over that of round-to-nearest ${least?.toFixed(2)} to ${most?.toFixed(2)}, median ${middle?.toFixed(2)}`,
  );
}
