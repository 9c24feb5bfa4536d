import type { StoredTensor } from '../../codec/safetensors/read-safetensors.js';
import { layOutSafetensors, type SafetensorsLayout } from '../../codec/safetensors/safetensors-layout.js';
import type { SafetensorsEntry } from '../../codec/safetensors/safetensors-types.js';
import type { CheckpointScheme } from '../../targets/vllm/checkpoint-schemes.js';
import { type LayerChoice, type LinearLayer, layerTensors } from '../../targets/vllm/linear-layers.js';
import type { Shard } from './read-checkpoint.js';

/** What becomes of the tensors of a weight file. */
export interface ShardPlan {
  readonly shard: Shard;
  /** Layers by the name of their tensor. */
  readonly layers: ReadonlyMap<string, LinearLayer>;
  readonly layout: SafetensorsLayout;
}

/** Plans the result of each weight file: it keeps its name, and holds what became of its tensors. */
export function planShards(shards: readonly Shard[], choice: LayerChoice, scheme: CheckpointScheme): ShardPlan[] {
  const chosen = new Map(choice.quantized.map((layer) => [layer.tensor, layer]));
  return shards.map((shard) => {
    const layers = new Map<string, LinearLayer>();
    const entries: SafetensorsEntry[] = [];
    for (const tensor of shard.header.tensors.values()) {
      const layer = chosen.get(tensor.name);
      if (layer) {
        layers.set(tensor.name, layer);
        entries.push(...layerTensors(layer, scheme));
      } else entries.push(entryOf(tensor));
    }
    return { shard, layers, layout: layOutSafetensors(entries, shard.header.metadata) };
  });
}

/** Bytes of all weight files of the result. */
export function resultBytes(plans: readonly ShardPlan[]): number {
  return plans.reduce((sum, { layout }) => sum + layout.sizeBytes, 0);
}

function entryOf({ name, type, shape }: StoredTensor): SafetensorsEntry {
  return { name, type, shape };
}
