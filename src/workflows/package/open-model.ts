import { realpathSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';
import { plainExample } from '../../targets/example-tensors.js';
import type { ModelFacts } from '../../targets/model-facts.js';
import type { InContext, ModelOptions, SourceOptions } from '../options.js';
import { checkModel } from '../preflight/model.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';

/** A model that is being packaged. */
export interface OpenedModel {
  readonly model: Model;
  readonly facts: ModelFacts;
  readonly stages: Stages;
  /** Of the look at the model. */
  readonly warnings: readonly string[];
  /** Looks whether the files are what they were, before something made of them appears. @throws SO2008 */
  readonly check: () => void;
}

/**
 * Opens a model, checks it and hands what is known of it to `use`. The files stay open and are watched meanwhile.
 * @throws SO2xxx and SO3xxx for a file that is no sound model, SO2008 for one that changed meanwhile
 */
export async function withOpenModel<T>(
  path: string,
  options: InContext<SourceOptions & ModelOptions>,
  use: (opened: OpenedModel) => Promise<T>,
): Promise<T> {
  const stages = new Stages(options);
  stages.start('read');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  const inputs = new WatchedInputs();
  inputs.add(model);
  try {
    return await inputs.during(options.signal, async () => {
      const warnings = checkModel(model, options);
      stages.end();
      const check = (): void => inputs.check();
      const result = await use({ model, facts: modelFacts(model, path), stages, warnings, check });
      inputs.check();
      return result;
    });
  } finally {
    model.source?.close();
  }
}

/** What targets know of a model that was read from `path`. */
export function modelFacts(model: Model, path: string): ModelFacts {
  const external = model.source?.externalPaths() ?? [];
  const folder = external.length > 0 ? realpathSync(dirname(path)) : '';
  const inputs = inputSpecs(model);
  return {
    path,
    inputs,
    example: plainExample(inputs),
    outputs: outputSpecs(model),
    externalFiles: external.map((each) => ({ location: relative(folder, each).split(sep).join('/'), path: each })),
    opset: model.opset(),
    domains: [...model.opsets.keys()].filter((domain) => domain !== '' && domain !== 'ai.onnx'),
  };
}
