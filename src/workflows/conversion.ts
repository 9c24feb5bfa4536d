import { countModel } from '../ir/diff.js';
import type { Model } from '../ir/model.js';
import type { TransformStep, TransformStepReport } from '../ir/transform.js';
import { inferTypes } from '../ops/infer-types.js';
import { eliminateDead } from '../passes/eliminate/eliminate-dead.js';
import type { RangeMap } from '../quantize/observers.js';
import type { QuantizeOptions, WorkflowContext } from './options.js';

/** Opset that the operators a mode writes need: DequantizeLinear by channel, DynamicQuantizeLinear. */
const NEEDED_OPSET = { static: 13, dynamic: 11, fp16: 7 } as const;

export type ConversionMode = keyof typeof NEEDED_OPSET;

/** Passes of the standard level that merge a layer into another operator, which quantization knows less well or users by another name. */
const KEPT_FOR_QUANTIZATION: readonly string[] = [
  'fuse-matmul-add',
  'fuse-transpose-into-gemm',
  'fuse-scale-into-gemm',
];

/** Node selection that the passes share. */
function filter(options: QuantizeOptions): { include?: readonly string[]; exclude?: readonly string[] } {
  return {
    ...(options.include === undefined ? {} : { include: options.include }),
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
  };
}

const infer: TransformStep = function inferTypesStep(model: Model): void {
  inferTypes(model);
};

/** A model on its way through a conversion, with what was done to it. */
export class Conversion {
  readonly model: Model;
  readonly steps: TransformStepReport[] = [];
  readonly #context: WorkflowContext;
  readonly #memoryBytes: number | undefined;

  /** @param memoryBytes what computing constants may take; no limit when absent */
  constructor(model: Model, context: WorkflowContext, memoryBytes?: number) {
    this.model = model;
    this.#context = context;
    this.#memoryBytes = memoryBytes;
  }

  async #run(...steps: readonly TransformStep[]): Promise<void> {
    const context = this.#context.signal ? { signal: this.#context.signal } : {};
    const report = await this.model.transformWith(context, ...steps);
    this.steps.push(...report.steps.filter((step) => step.name !== infer.name));
  }

  /**
   * What comes before quantization: the standard level of `optimize`, so that nothing is quantized that would have gone or
   * merged, and versions. Passes are loaded when they are needed: all of them together take longer to load than a small
   * model to convert.
   */
  async prepare(mode: ConversionMode, optimize = true): Promise<void> {
    if (this.model.irVersion < 4) {
      const { initializersNotInputs } = await import('../passes/rewrite/initializers-not-inputs.js');
      await this.#run(initializersNotInputs());
    }
    if (optimize) await this.#optimize();
    const opset = this.model.opset();
    if (opset > 0 && opset < NEEDED_OPSET[mode]) {
      const { upgradeOpset } = await import('../passes/rewrite/upgrade-opset.js');
      await this.#run(infer, upgradeOpset({ to: NEEDED_OPSET[mode] }));
    }
    await this.#run(infer);
  }

  /** The standard level, but for what would give the layers to quantize other names and operators. */
  async #optimize(): Promise<void> {
    const { optimizeGraph } = await import('../passes/optimize-graph.js');
    const { summarizePasses } = await import('./pass-summary.js');
    const { signal } = this.#context;
    const nodesBefore = countModel(this.model).nodes;
    const outcome = await optimizeGraph(this.model, {
      level: 'standard',
      remove: KEPT_FOR_QUANTIZATION,
      ...(this.#memoryBytes === undefined ? {} : { memoryBytes: this.#memoryBytes }),
      ...(signal ? { signal } : {}),
    });
    this.steps.push(...summarizePasses(outcome, nodesBefore));
  }

  async toStatic(ranges: RangeMap, options: QuantizeOptions): Promise<TransformStepReport> {
    const { quantizeStatic } = await import('../passes/quantize/quantize-static.js');
    await this.#run(
      quantizeStatic({
        ...filter(options),
        ranges,
        perChannel: !options.perTensor,
        reduceRange: options.reduceRange ?? false,
      }),
    );
    return this.#finish();
  }

  async toDynamic(options: QuantizeOptions): Promise<TransformStepReport> {
    const { quantizeDynamic } = await import('../passes/quantize/quantize-dynamic.js');
    await this.#run(
      quantizeDynamic({
        ...filter(options),
        perChannel: !options.perTensor,
        reduceRange: options.reduceRange ?? false,
        target: options.target ?? 'portable',
      }),
    );
    return this.#finish();
  }

  async toFloat16(options: QuantizeOptions, ranges?: RangeMap): Promise<TransformStepReport> {
    const { convertToFloat16 } = await import('../passes/quantize/convert-to-float16.js');
    await this.#run(convertToFloat16({ ...filter(options), keepIo: !options.fp16Io, ...(ranges ? { ranges } : {}) }));
    return this.#finish();
  }

  /** Removes what the last step left without use, and gives that step's report. */
  async #finish(): Promise<TransformStepReport> {
    const step = this.steps.at(-1) as TransformStepReport;
    if (step.changed > 0) await this.#run(eliminateDead());
    return step;
  }
}
