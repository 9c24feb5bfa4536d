import type { ModelConfig } from '../../proto/model-config.js';
import { type Batchability, chooseBatch } from './batching.js';
import { resourceConfig, type TritonPlatform } from './resource-config.js';
import { scheduleConfig } from './schedule-config.js';
import type { ServedInterface } from './serving-facts.js';
import { setFields } from './set-fields.js';
import { checkNames, tensorConfig } from './tensor-config.js';
import type { ServingOptions } from './triton-options.js';

/** A configuration, and what to say of the choices in it. */
export interface BuiltConfig {
  readonly config: ModelConfig;
  readonly notes: readonly string[];
}

/** What the configuration of one model is made of. */
export interface ConfigParts {
  readonly name: string;
  readonly platform: TritonPlatform;
  readonly served: ServedInterface;
  readonly batchability: Batchability;
  /** As the user would type the path of the model in a command. */
  readonly modelName: string;
  /** Names of files with labels, by output. */
  readonly labels?: ReadonlyMap<string, string>;
}

/**
 * The configuration of a model, from its interface and the options alone.
 * @throws SO3501 for what Triton cannot serve, SO1002 for options that contradict each other, SO3503 for `fields`
 */
export function buildConfig(parts: ConfigParts, options: ServingOptions): BuiltConfig {
  const { name, platform, served, labels } = parts;
  checkNames(served.inputs, 'input');
  checkNames(served.outputs, 'output');
  const { maxBatch, notes } = chooseBatch(parts.batchability, options.maxBatch, parts.modelName);
  const isBatched = maxBatch > 0;
  const why = parts.batchability.kind === 'yes' ? undefined : parts.batchability.why;
  const schedule = scheduleConfig(served, maxBatch, options, why);
  const config: ModelConfig = {
    name,
    platform,
    max_batch_size: maxBatch,
    input: served.inputs
      .filter((input) => !schedule.controls.has(input.name))
      .map((input) => tensorConfig(input, isBatched)),
    output: served.outputs.map((output) => {
      const label = labels?.get(output.name);
      return { ...tensorConfig(output, isBatched), ...(label === undefined ? {} : { label_filename: label }) };
    }),
    ...schedule.fields,
    ...resourceConfig(options, platform),
  };
  return {
    config: setFields(config, options.fields ?? []),
    notes: [...notes, ...schedule.notes, ...optionNotes(options)],
  };
}

/** What a server needs besides the configuration. */
function optionNotes({ cache, accelerator }: ServingOptions): string[] {
  const notes: string[] = [];
  if (cache)
    notes.push('The response cache needs a server with one: tritonserver --cache-config local,size=104857600 …');
  if (accelerator?.name === 'tensorrt')
    notes.push('TensorRT builds an engine for each input shape when it first sees it, which can take minutes.');
  return notes;
}
