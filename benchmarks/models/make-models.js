import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeModel } from '../../dist/ir/write-model.js';
import { RESIDUAL_FULL, RESIDUAL_QUICK, residualNetwork } from './residual-network.js';
import { writeRandomSamples } from './samples.js';
import { TRANSFORMER_FULL, TRANSFORMER_QUICK, transformer } from './transformer.js';

/** Part of the file names: raise it when what the files hold changes. */
const REVISION = 2;

/**
 * Makes the models and samples that are not there yet, with serve-opt itself.
 * @param {string} folder
 * @param {{ quick: boolean, onMake: (name: string) => void }} options
 */
export async function makeModels(folder, { quick, onMake }) {
  const residual = quick ? RESIDUAL_QUICK : RESIDUAL_FULL;
  const file = (name) => join(folder, `${quick ? 'quick-' : ''}${name.replace('.', `-r${REVISION}.`)}`);
  const files = {
    transformer: file('transformer.onnx'),
    residual: file('residual-network.onnx'),
    samples: file('samples.npy'),
    manySamples: file('many-samples.npy'),
  };
  const make = async (path, name, build) => {
    if (existsSync(path)) return;
    onMake(name);
    await build(path);
  };
  await make(files.transformer, 'transformer', (path) =>
    writeModel(transformer(quick ? TRANSFORMER_QUICK : TRANSFORMER_FULL), path),
  );
  await make(files.residual, 'residual network', (path) => writeModel(residualNetwork(residual), path));
  await make(files.samples, 'samples', (path) =>
    writeRandomSamples(path, [residual.samples, 3, residual.imageSize, residual.imageSize], 1),
  );
  await make(files.manySamples, 'more samples', (path) =>
    writeRandomSamples(path, [256, 3, residual.imageSize, residual.imageSize], 2),
  );
  return files;
}
