import { bug } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { Node } from '../../ir/node.js';
import type { TransformStepReport } from '../../ir/transform.js';
import { allNodes } from '../../ir/walk.js';
import { outputKey } from '../../passes/kept-nodes.js';
import { nodeLabel } from '../../passes/nodes.js';
import { newFloat16Report } from '../../passes/quantize/float16/report.js';
import { constantOperand } from '../../quantize/constant-operand.js';
import { emulateFloat16 } from '../../quantize/emulate-float16.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';
import type { LayerReport } from '../../report/types.js';
import type { QuantizeOptions } from '../options.js';
import type { Conversion, KeptLayers } from './conversion.js';
import type { Converted, Float16Base, IntegerBase } from './converted.js';
import { weightBytes } from './layer-reports.js';

/** A constant this small may be shared, or stay in FP32 beside weights that do not. */
const SMALLEST_BYTES = 256;

/** A layer that a mode quantizes. */
export interface QuantizableLayer extends LayerReport {
  /** What passes know it by: its first output. */
  readonly key: string;
}

/** A prepared model of which each layer may be quantized or kept in FP32. */
export interface LayerChoice {
  /** In graph order. */
  readonly layers: readonly QuantizableLayer[];
  /** A copy that is converted but for the layers kept. */
  convert(kept: KeptLayers): Promise<{ readonly conversion: Conversion; readonly step: TransformStepReport }>;
  /** The same, ready to be tried. */
  candidate(kept: KeptLayers): Promise<Model>;
  /** Candidates must run without ONNX Runtime's own optimizations, which would undo what is emulated. */
  readonly unoptimized: boolean;
}

/** The layers of a conversion, to be converted again without some of them. @throws SO9001 for one that keeps no base */
export async function choiceFor({ mode, base, float16 }: Converted, options: QuantizeOptions): Promise<LayerChoice> {
  if (mode === 'fp16' && float16) return float16Choice(float16, options);
  if (!base) throw bug('a conversion without its base');
  return mode === 'static' ? staticChoice(base, options) : dynamicChoice(base.prepared, options);
}

/** Layers of a model that is prepared for static INT8. */
function staticChoice({ prepared, ranges, reference }: IntegerBase, options: QuantizeOptions): Promise<LayerChoice> {
  return choiceOf(prepared, async (conversion, kept) => {
    if (reference && kept.size > 0) await conversion.restore(reference, kept);
    return conversion.toStatic(ranges, options, kept);
  });
}

/** Layers of a model that is prepared for dynamic INT8. */
export function dynamicChoice(prepared: Conversion, options: QuantizeOptions): Promise<LayerChoice> {
  return choiceOf(prepared, (conversion, kept) => conversion.toDynamic(options, kept));
}

/** Layers of a model that is prepared for FLOAT16; candidates compute in emulated half precision. */
export async function float16Choice(
  { prepared, ranges, kept: always }: Float16Base,
  options: QuantizeOptions,
): Promise<LayerChoice> {
  const report = newFloat16Report();
  const whole = prepared.copy();
  await whole.toFloat16(options, { ranges, kept: always, report });
  const converted = new Set(report.nodes);
  const layers = layersOf(prepared.model, (node) => converted.has(outputKey(node)));
  const convert = async (kept: KeptLayers) => {
    // A layer alone: what has no weights stays in FLOAT with the others.
    const others = kept.size === 0 ? [] : report.nodes.filter((key) => !layers.some((layer) => layer.key === key));
    const conversion = prepared.copy();
    const reasons = new Map([...always, ...others.map((key): [string, string] => [key, 'not tried']), ...kept]);
    return { conversion, step: await conversion.toFloat16(options, { ranges, kept: reasons }) };
  };
  return {
    layers,
    convert,
    unoptimized: true,
    candidate: async (kept) => {
      const { model } = (await convert(kept)).conversion;
      emulateFloat16(model);
      return model;
    },
  };
}

async function choiceOf(
  prepared: Conversion,
  quantize: (conversion: Conversion, kept: KeptLayers) => Promise<TransformStepReport>,
): Promise<LayerChoice> {
  const convert = async (kept: KeptLayers) => {
    const conversion = prepared.copy();
    return { conversion, step: await quantize(conversion, kept) };
  };
  const { conversion, step } = await convert(new Map());
  const refused = new Set(step.refusals.map(({ node, opType }) => `${opType} ${node}`));
  const kept = new Map([...allNodes(conversion.model)].map((node) => [outputKey(node), node]));
  const layers = layersOf(prepared.model, (node) => {
    if (refused.has(`${node.opType} ${nodeLabel(node)}`)) return false;
    // What reads the very weights it read before was not quantized.
    const now = kept.get(outputKey(node));
    return now === undefined || !readsSame(node, now);
  });
  return { layers, convert, unoptimized: false, candidate: async (which) => (await convert(which)).conversion.model };
}

function layersOf(model: Model, isQuantized: (node: Node) => boolean): QuantizableLayer[] {
  const layers: QuantizableLayer[] = [];
  for (const node of allNodes(model)) {
    const isLayer = node.domain === '' && (WEIGHTED_OPERATORS.has(node.opType) || node.is('Gather'));
    const bytes = isLayer ? weightBytes(node) : 0;
    if (bytes === 0 || !isQuantized(node)) continue;
    layers.push({ key: outputKey(node), name: nodeLabel(node), opType: node.opType, weightBytes: bytes });
  }
  return layers;
}

/** Whether a node still reads a constant that it read before, in the same place. */
function readsSame(before: Node, now: Node): boolean {
  return before.inputs.some((_, slot) => {
    const weight = constantOperand(before, slot)?.tensor;
    return weight !== undefined && weight.byteLength >= SMALLEST_BYTES && constantOperand(now, slot)?.tensor === weight;
  });
}
