import type { Model } from '../../ir/model.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import type { SessionValue } from '../../runtime/protocol.js';
import type { ModelFacts } from '../../targets/model-facts.js';
import { formatBytes } from '../../tensor/byte-size.js';
import { memoryLimit, runtimeOptions } from '../memory.js';
import type { InContext, ModelOptions } from '../options.js';
import { asInvalidModel } from '../preflight/model.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import { bytesOnDisk, LOADED_BYTES } from './loaded-outputs.js';

/** Options of what loads a model before it is packaged. */
export interface LoadOptions extends ModelOptions {
  /** Load and run the model in ONNX Runtime. Default true, for models up to 256 MiB. */
  readonly verify?: boolean;
}

/** A model in ONNX Runtime. */
export interface LoadedModel {
  readonly host: RuntimeHost;
  readonly session: number;
  readonly outputs: readonly SessionValue[];
}

/** Why a model is not loaded, as a note; empty where the user asked for that; undefined where it is. */
export function whyNotLoaded(
  model: Model,
  { path, externalFiles }: ModelFacts,
  { verify = true }: LoadOptions,
): string | undefined {
  if (!verify) return '';
  const notRunnable = whyNotRunnable(model);
  if (notRunnable !== undefined) return `The model was not loaded in ONNX Runtime: ${notRunnable}.`;
  const bytes = bytesOnDisk([path, ...externalFiles.map((file) => file.path)]);
  if (bytes <= LOADED_BYTES) return undefined;
  return `The model was not loaded in ONNX Runtime: it has ${formatBytes(bytes)}, more than ${formatBytes(LOADED_BYTES)}.`;
}

/** Loads a model into a process of its own, which ends after `use`. @throws SO5001, SO3004 for a model that ONNX Runtime refuses */
export async function withLoadedModel<T>(
  model: Model,
  { path }: ModelFacts,
  options: InContext<ModelOptions>,
  use: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  const runtime = new LazyRuntime(runtimeOptions(options, memoryLimit({}, [model])));
  try {
    const host = await runtime.host();
    const { session, outputs } = await host.request('load', { path, options: { graphOptimization: 'basic' } });
    return await use({ host, session, outputs });
  } catch (error) {
    throw asInvalidModel(error, options);
  } finally {
    await runtime.close();
  }
}
