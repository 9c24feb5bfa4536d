import { ServeOptError } from '../../errors.js';
import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import type { TransformStep, TransformStepReport } from '../../ir/transform.js';
import { writtenSize } from '../../ir/write-model.js';
import { inferTypes } from '../../ops/infer-types.js';
import { eliminateDead } from '../../passes/eliminate/eliminate-dead.js';
import { meansNode } from '../../passes/node-filter.js';
import type { ConvertToFloat16Options } from '../../passes/quantize/convert-to-float16.js';
import type { WeightOnlyOptions } from '../../passes/quantize/weight-only/weight-only-options.js';
import { BLOCKED_OPSET } from '../../passes/quantize/weight-only/weight-plan.js';
import type { QuantizationScheme } from '../../quantize/scheme.js';
import { TENSORRT_SCHEMES, type TensorRtType } from '../../quantize/tensorrt-schemes.js';
import type { RangeMap } from '../../quantize/value-range.js';
import { type InContext, QUANTIZE_DEFAULTS, type QuantizeOptions } from '../options.js';
import { growthBytes } from '../produce/growth.js';
import type { Stages } from '../stages.js';
import { isWeightMode, type WeightMode } from '../weight-only-options.js';
import { hasLayersInFunctions, withLayersInlined } from './inlined-functions.js';
import { schemesOf, usesSixteenBits } from './schemes/schemes-of.js';

/** Opset that the operators a mode writes need: DequantizeLinear by channel, DynamicQuantizeLinear, Conv in BFLOAT16, FP8. */
const NEEDED_OPSET = { static: 13, dynamic: 11, fp16: 7, bf16: 22, fp8: TENSORRT_SCHEMES.fp8.opset } as const;

/** From this opset on, ONNX has QuantizeLinear of 16 bits. */
const SIXTEEN_BITS_OPSET = 21;

export type ConversionMode = keyof typeof NEEDED_OPSET | WeightMode;

function neededOpset(mode: ConversionMode, { operators = QUANTIZE_DEFAULTS.operators }: QuantizeOptions): number {
  if (!isWeightMode(mode)) return NEEDED_OPSET[mode];
  // MatMulNBits has a set of operators of its own.
  return operators === 'ort' ? 11 : BLOCKED_OPSET;
}

/** Passes of the standard level that merge a layer into another operator, which quantization knows less well or users by another name. */
const KEPT_FOR_QUANTIZATION: readonly string[] = [
  'fuse-matmul-add',
  'fuse-transpose-into-gemm',
  'fuse-scale-into-gemm',
];

/** Reasons to keep layers in FP32, by the name of their first output. */
export type KeptLayers = ReadonlyMap<string, string>;

const NONE_KEPT: KeptLayers = new Map();

const infer: TransformStep = function inferTypesStep(model: Model): void {
  inferTypes(model);
};

/** Patterns of layers that the passes share. */
interface LayerFilter {
  /** Only these; every one when empty. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

type ConversionContext = Pick<InContext<QuantizeOptions>, 'signal' | 'outputPath' | 'maxGrowth'>;

/** A model on its way through a conversion, with what was done to it. */
export class Conversion {
  #model: Model;
  readonly steps: TransformStepReport[] = [];
  /** About layers that were chosen by name and went while the graph was prepared. */
  readonly warnings: string[] = [];
  /** The model as it was read, with the functions inlined that hold layers: what its layers are told from. */
  get original(): Model {
    return this.#original;
  }
  #original: Model;
  #layers: LayerFilter = { include: [], exclude: [] };
  readonly #context: ConversionContext;
  readonly #memoryBytes: number | undefined;

  /** @param memoryBytes what computing constants may take; no limit when absent */
  constructor(model: Model, context: ConversionContext, memoryBytes?: number) {
    this.#model = model;
    this.#original = model.clone();
    this.#context = context;
    this.#memoryBytes = memoryBytes;
  }

  /** The model as far as it has come. */
  get model(): Model {
    return this.#model;
  }

  async #run(...steps: readonly TransformStep[]): Promise<void> {
    const context = this.#context.signal ? { signal: this.#context.signal } : {};
    const report = await this.model.transformWith(context, ...steps);
    this.steps.push(...report.steps.filter((step) => step.name !== infer.name));
  }

  /**
   * What comes before quantization: the standard level of `optimize`, so that nothing is quantized that would have gone or
   * merged, and versions. Passes are loaded when they are needed: all of them together take longer to load than a small
   * model to convert. Layers chosen by name are those that are left afterwards.
   * @throws SO1003 where none of the layers to include is left
   */
  async prepare(mode: ConversionMode, options: QuantizeOptions): Promise<void> {
    if (this.model.irVersion < 4 || options.fixInitializers) {
      const { initializersNotInputs } = await import('../../passes/rewrite/initializers-not-inputs.js');
      await this.#run(initializersNotInputs({ overridable: options.fixInitializers ?? false }));
      this.#original = this.model.clone();
    }
    if (options.optimize ?? true) await this.#optimize(mode);
    await this.#raiseOpset(neededOpset(mode, options));
    if (mode === 'static' && options.for !== 'tensorrt' && usesSixteenBits(schemesOf(options)))
      await this.#raiseOpset(SIXTEEN_BITS_OPSET);
    await this.#run(infer);
    this.#layers = { include: this.#left(options.include), exclude: this.#left(options.exclude) };
    if (mode === 'static') await this.#warnOfLostOverrides(options);
    if (options.include?.length && this.#layers.include.length === 0) {
      throw new ServeOptError('SO1003', 'No layer that --include matches is left after the graph was optimized', {
        why: `it was ${options.include.map((pattern) => `"${pattern}"`).join(', ')}`,
        hint: 'add --no-optimize, or choose layers of the optimized model',
      });
    }
  }

  /** Brings the model to an opset where that is possible. */
  async #raiseOpset(to: number): Promise<void> {
    const opset = this.model.opset();
    if (opset === 0 || opset >= to) return;
    const { upgradeOpset } = await import('../../passes/rewrite/upgrade-opset.js');
    await this.#run(infer, upgradeOpset({ to }));
  }

  /** Patterns that still mean a node: each did in the model as it was read. */
  #left(patterns: readonly string[] = []): readonly string[] {
    const gone = patterns.filter((pattern) => !meansNode(this.model, pattern));
    for (const pattern of gone) {
      this.warnings.push(
        `"${pattern}" no longer matches a layer: what it matched was folded or fused before quantizing.`,
      );
    }
    return patterns.filter((pattern) => !gone.includes(pattern));
  }

  /** Overrides mean something in the model as it was read; what they mean may have been folded since. */
  async #warnOfLostOverrides(options: QuantizeOptions): Promise<void> {
    const { overrides } = schemesOf(options);
    if (overrides.length === 0) return;
    const { meantBy } = await import('../../passes/quantize/assign-schemes.js');
    for (const { match } of overrides) {
      const { nodes, tensors } = meantBy(this.model, match);
      if (nodes.size + tensors.size > 0) continue;
      this.warnings.push(
        `The override "${match}" changes nothing: what it matched was folded or fused before quantizing.`,
      );
    }
  }

  /**
   * The standard level, but for what would give the layers to quantize other names and operators, or make INT8 of them worse, and within the
   * limit of growth. Local functions that hold layers are inlined.
   */
  async #optimize(mode: ConversionMode): Promise<void> {
    const [{ optimizeRecipe }, { foldAffineIntoNext }, { Pipeline }, { summarizePasses }] = await Promise.all([
      import('../../passes/optimize-graph.js'),
      import('../../passes/fold/fold-affine-into-next.js'),
      import('../optimize/pipeline.js'),
      import('../optimize/pass-summary.js'),
    ]);
    const toIntegers = mode !== 'fp16' && mode !== 'bf16';
    const add = hasLayersInFunctions(this.model) ? ['inline-functions'] : [];
    const recipe = optimizeRecipe({ level: 'standard', add, remove: KEPT_FOR_QUANTIZATION }).map((row) =>
      toIntegers && row.pass === foldAffineIntoNext ? { ...row, options: { forIntegers: true } } : row,
    );
    if (add.length > 0) this.#original = await withLayersInlined(this.#original);
    const { signal, maxGrowth, outputPath = 'model.onnx' } = this.#context;
    const options = { ...(signal ? { signal } : {}), ...(maxGrowth === undefined ? {} : { maxGrowth }) };
    const pipeline = new Pipeline(this.model, recipe, options, outputPath, undefined, this.#memoryBytes);
    const optimized = await pipeline.runWithinBudget();
    if (!optimized) {
      this.warnings.push('The graph was not optimized first: the file would have grown more than --max-growth allows.');
      return;
    }
    this.steps.push(...summarizePasses(optimized.outcome, countModel(this.model).nodes));
    this.#model = optimized.model;
  }

  /** Takes back what a repair did for INT8 of layers that are kept. @param reference the model before weights and biases were changed for INT8 */
  async restore(reference: Model, kept: KeptLayers): Promise<void> {
    const { restoreLayers } = await import('../../passes/quantize/repair/restore-layers.js');
    await this.#run({ name: 'restore-layers', run: (model) => restoreLayers(model, reference, kept) });
  }

  /** @param kept reasons to keep layers, by the name of their first output */
  async toStatic(
    ranges: RangeMap,
    options: QuantizeOptions,
    kept: KeptLayers = NONE_KEPT,
  ): Promise<TransformStepReport> {
    const { quantizeStatic } = await import('../../passes/quantize/quantize-static.js');
    await this.#run(
      quantizeStatic({
        ...this.#layers,
        ranges,
        ...schemesOf(options),
        format: options.format ?? 'qdq',
        operators: options.operators ?? QUANTIZE_DEFAULTS.operators,
        growthBytes: this.#growthBytes(options),
        kept,
      }),
    );
    return this.#finish();
  }

  /**
   * INT8 or FP8 as TensorRT's explicit quantization takes it.
   * @param products reasons why products of two activations stay in float; undefined keeps all there
   */
  async toTensorRt(
    type: TensorRtType,
    ranges: RangeMap,
    options: QuantizeOptions,
    products?: ReadonlyMap<string, string>,
  ): Promise<TransformStepReport> {
    const { quantizeTensorrt } = await import('../../passes/quantize/quantize-tensorrt.js');
    const { activations, weights } = TENSORRT_SCHEMES[type];
    await this.#run(
      quantizeTensorrt({
        ...this.#layers,
        ranges,
        activations,
        weights: options.perTensor ? { ...weights, granularity: { kind: 'tensor' } } : weights,
        products,
        floatWeights: options.floatWeights ?? false,
      }),
    );
    return this.#finish();
  }

  async toDynamic(options: QuantizeOptions, kept: KeptLayers = NONE_KEPT): Promise<TransformStepReport> {
    const { quantizeDynamic } = await import('../../passes/quantize/quantize-dynamic.js');
    await this.#run(
      quantizeDynamic({
        ...this.#layers,
        weights: dynamicWeights(options),
        operators: options.operators ?? 'portable',
        growthBytes: this.#growthBytes(options),
        kept,
      }),
    );
    return this.#finish();
  }

  /** The patterns of layers that are left. */
  get layers(): LayerFilter {
    return this.#layers;
  }

  /** Weights alone. */
  async toWeightOnly(options: WeightOnlyOptions): Promise<TransformStepReport> {
    const { quantizeWeightOnly } = await import('../../passes/quantize/weight-only/quantize-weight-only.js');
    await this.#run(quantizeWeightOnly(options));
    return this.#finish();
  }

  /** @param choices what was measured, and layers to keep; `report` receives what was converted */
  async toFloat16(
    options: QuantizeOptions,
    choices: Partial<Pick<ConvertToFloat16Options, 'ranges' | 'kept' | 'report'>>,
  ): Promise<TransformStepReport> {
    const all = { ...this.#layers, keepIo: !options.fp16Io, ...choices };
    if (options.mode === 'bf16') {
      const { convertToBfloat16 } = await import('../../passes/quantize/convert-to-bfloat16.js');
      await this.#run(convertToBfloat16(all));
    } else {
      const { convertToFloat16 } = await import('../../passes/quantize/convert-to-float16.js');
      await this.#run(convertToFloat16(all));
    }
    return this.#finish();
  }

  /** Goes on with a model that was made of this one. */
  replaceModel(model: Model): void {
    this.#model = model;
  }

  /** The same model as far as it has come, to go on from apart. */
  copy(): Conversion {
    const copy = new Conversion(this.model.clone(), this.#context, this.#memoryBytes);
    copy.steps.push(...this.steps);
    copy.warnings.push(...this.warnings);
    copy.#layers = this.#layers;
    copy.#original = this.#original;
    return copy;
  }

  /** Bytes by which the file may grow. */
  #growthBytes({ maxGrowth, outputPath = 'model.onnx' }: QuantizeOptions): number {
    return growthBytes(maxGrowth ?? QUANTIZE_DEFAULTS.maxGrowth, writtenSize(this.model, outputPath));
  }

  /** Removes what the last step left without use, and gives that step's report. */
  async #finish(): Promise<TransformStepReport> {
    const step = this.steps.at(-1) as TransformStepReport;
    if (step.changed > 0) await this.#run(eliminateDead());
    return step;
  }
}

/** Weights of dynamic INT8: with the choices for all weights of static INT8. */
function dynamicWeights(options: QuantizeOptions): QuantizationScheme {
  const { weights, saturates } = schemesOf(options);
  // Scales of dynamic INT8 are not known before it runs, so every weight gets 7 bits where 8 could overflow.
  return { ...weights, reduceRange: weights.reduceRange || saturates };
}

/** The stage `prepare`: a copy of the model, ready to be converted in a mode. */
export async function prepareConversion(
  model: Model,
  mode: ConversionMode,
  options: InContext<QuantizeOptions>,
  stages: Stages,
  memoryBytes: number,
): Promise<Conversion> {
  stages.start('prepare');
  const conversion = new Conversion(model.clone(), options, memoryBytes);
  await conversion.prepare(mode, options);
  stages.end(`${countModel(model).nodes} → ${countModel(conversion.model).nodes} nodes`);
  return conversion;
}
