/** Which tensors of a checkpoint are matrices of linear layers to quantize, and why others are left. */
import type { SafetensorsEntry } from '../../codec/safetensors/safetensors-types.js';
import type { ScaleType } from '../../quantize/linear-weights.js';
import type { CheckpointScheme } from './checkpoint-schemes.js';

/** A layer that is quantized. */
export interface LinearLayer {
  /** Of the module: the name of the tensor without `.weight`. */
  readonly module: string;
  readonly tensor: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly type: ScaleType;
}

/** A matrix that stays as it is. */
export interface LeftLayer {
  readonly module: string;
  readonly tensor: string;
  readonly reason: string;
  /** False for embeddings, which are no linear layers: nobody would look for their codes. */
  readonly isLinear: boolean;
}

export interface LayerChoice {
  readonly quantized: readonly LinearLayer[];
  readonly left: readonly LeftLayer[];
}

/** What is known of a checkpoint besides its tensors. */
export interface CheckpointFacts {
  /** Sizes of vocabularies in `config.json`, also of parts of the model. */
  readonly vocabularySizes: readonly number[];
}

interface ModuleRule {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly isLinear: boolean;
}

/**
 * Modules that every recipe of llm-compressor for these schemes leaves, and vLLM expects in full precision; embeddings are tables. Names
 * are those of transformers.
 */
const LEFT_MODULES: readonly ModuleRule[] = [
  {
    pattern: /(^|\.)(lm_head|embed_out|score|classifier|qa_outputs)(\.|$)|^(output|head|cls)(\.|$)/,
    reason: 'it makes the scores of the result, where rounding costs most',
    isLinear: true,
  },
  {
    pattern:
      /(embed|embedding)s?(_|\.|$)|(^|\.)(wte|wpe|word_embeddings|embed_\w+|\w+_embeddings?|shared|relative_attention_bias)$/,
    reason: 'it is a table of embeddings',
    isLinear: false,
  },
  {
    pattern: /(^|\.)(gate|router|shared_expert_gate)$|(^|\.)router\./,
    reason: 'it routes tokens to experts: a small matrix that decides much',
    isLinear: true,
  },
  {
    pattern:
      /(^|\.)(vision_tower|vision_model|vision_encoder|visual|vision_embed_tokens|img_processor|audio_tower|speech_encoder)\./,
    reason: 'it belongs to the encoder of images or sound, which is small beside the language model',
    isLinear: true,
  },
  {
    pattern: /(^|\.)(multi_modal_projector|mm_projector|image_newline|connector|merger|aligner)(\.|$)/,
    reason: 'it joins images or sound to the language model',
    isLinear: true,
  },
];

/**
 * Projections that vLLM keeps as one matrix (`packed_modules_mapping` of its models): all of them are quantized, or none.
 */
const FUSED: readonly (readonly string[])[] = [
  ['q_proj', 'k_proj', 'v_proj'],
  ['gate_proj', 'up_proj'],
  ['w1', 'w3'],
  ['query', 'key', 'value'],
  ['q_a_proj', 'kv_a_proj_with_mqa'],
  ['in_proj_qkvz', 'in_proj_ba'],
];

const ENDING = '.weight';

/** Chooses layers. @param keeps what the user leaves out: modules for which it gives a reason stay */
export function chooseLayers(
  entries: Iterable<SafetensorsEntry>,
  scheme: CheckpointScheme,
  facts: CheckpointFacts,
  keeps: (module: string) => string | undefined = () => undefined,
): LayerChoice {
  const quantized = new Map<string, LinearLayer>();
  const left = new Map<string, LeftLayer>();
  for (const entry of entries) {
    const { name: tensor, type, shape } = entry;
    if (!tensor.endsWith(ENDING) || shape.length !== 2) continue;
    const module = tensor.slice(0, -ENDING.length);
    const [outputs = 0, inputs = 0] = shape;
    const rule = LEFT_MODULES.find(({ pattern }) => pattern.test(module));
    const leave = (reason: string, isLinear = true): void => {
      left.set(module, { module, tensor, reason, isLinear });
    };
    const wanted = keeps(module);
    if (rule) leave(rule.reason, rule.isLinear);
    else if (wanted !== undefined) leave(wanted);
    else if (facts.vocabularySizes.includes(outputs)) leave('it has a row for each token of the vocabulary');
    else if (type !== 'F32' && type !== 'F16' && type !== 'BF16') leave(`its type is ${type}`);
    else {
      const why = unfit(outputs, inputs, scheme);
      if (why === undefined) quantized.set(module, { module, tensor, outputs, inputs, type });
      else leave(why);
    }
  }
  keepTogether(quantized, left);
  return { quantized: [...quantized.values()], left: [...left.values()] };
}

function unfit(outputs: number, inputs: number, { codes: { groupSize } }: CheckpointScheme): string | undefined {
  if (outputs === 0 || inputs === 0) return 'it has no elements';
  if (groupSize !== undefined && inputs % groupSize !== 0)
    return `its ${inputs} inputs are not a multiple of ${groupSize}, the size of a group`;
  return undefined;
}

function keepTogether(quantized: Map<string, LinearLayer>, left: Map<string, LeftLayer>): void {
  for (const { module, isLinear } of [...left.values()]) {
    if (!isLinear) continue;
    const at = module.lastIndexOf('.');
    const [parent, own] = [module.slice(0, at + 1), module.slice(at + 1)];
    for (const each of FUSED.find((names) => names.includes(own)) ?? []) {
      const sibling = quantized.get(parent + each);
      if (!sibling) continue;
      quantized.delete(sibling.module);
      const reason = `vLLM joins it with ${own}, which stays as it is`;
      left.set(sibling.module, { module: sibling.module, tensor: sibling.tensor, reason, isLinear: true });
    }
  }
}

/** Tensors of a quantized layer. */
export function layerTensors(layer: LinearLayer, { format, codes }: CheckpointScheme): readonly SafetensorsEntry[] {
  const { module, outputs, inputs, type } = layer;
  const scale: SafetensorsEntry = {
    name: `${module}.weight_scale`,
    type,
    shape: [outputs, codes.groupSize === undefined ? 1 : inputs / codes.groupSize],
  };
  if (format !== 'pack-quantized') {
    return [
      { name: layer.tensor, type: format === 'int-quantized' ? 'I8' : 'F8_E4M3', shape: [outputs, inputs] },
      scale,
    ];
  }
  const words = Math.ceil((inputs * codes.bits) / 32);
  return [
    { name: `${module}.weight_packed`, type: 'I32', shape: [outputs, words] },
    scale,
    { name: `${module}.weight_shape`, type: 'I64', shape: [2] },
  ];
}
