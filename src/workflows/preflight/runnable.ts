import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { screenInterface } from '../../runtime/interface-screen.js';
import type { ValueSpec } from '../../samples/types.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';

/** Why ONNX Runtime for Node cannot run this interface, or undefined. */
export function whyNotRunnable(model: Model): string | undefined {
  try {
    screenInterface(inputSpecs(model), outputSpecs(model));
    return undefined;
  } catch (error) {
    if (error instanceof ServeOptError && error.code === 'SO5006') return error.message;
    throw error;
  }
}

/** @throws SO5006 saying what the model is to be run for */
export function checkRunnable(inputs: readonly ValueSpec[], outputs: readonly ValueSpec[], why: string): void {
  try {
    screenInterface(inputs, outputs);
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code !== 'SO5006') throw error;
    throw new ServeOptError('SO5006', error.message, { why, ...(error.why === undefined ? {} : { hint: error.why }) });
  }
}
