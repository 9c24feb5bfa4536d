/** What was really done to a written file before it was handed over, no more. */
import type { OutputAgreement } from '../evaluate/equality.js';
import type { OptimizeReport, QuantizeReport } from './types.js';

/** A sentence, and whether everything was done that could be. */
export interface Checks {
  readonly done: boolean;
  readonly text: string;
}

/** Of an optimized model. */
export function optimizeChecks({ verification }: OptimizeReport): Checks {
  const { runs, outputs } = verification;
  if (runs === 'unchanged') return { done: true, text: 'the output is the input, byte for byte' };
  if (runs === 'passed') {
    const how = isBitForBit(outputs ?? []) ? 'equal bit for bit' : 'equal within rounding';
    return { done: true, text: `verified: read back, loaded and run beside the original in ONNX Runtime, ${how}` };
  }
  const loaded =
    verification.loads === 'passed'
      ? ', its interface checked and ONNX Runtime loaded it'
      : ' and its interface checked';
  const text = `not verified: the file was read back${loaded}, but not run`;
  return { done: false, text: because(text, verification.reason) };
}

/** Whether outputs were the same in every element, however much rounding would have been let pass. */
export function isBitForBit(outputs: readonly OutputAgreement[]): boolean {
  return outputs.every(({ elements, equal }) => elements === equal);
}

/** Of a quantized model. */
export function quantizeChecks({ verification }: QuantizeReport): Checks {
  const { loads, runs, reason, arithmetic } = verification;
  if (runs === 'passed') {
    const how =
      arithmetic === undefined
        ? 'loaded and run beside the original in ONNX Runtime'
        : 'loaded and run in ONNX Runtime, and compared in emulated half precision: every value rounded to FP16, sums inside one operator not';
    return { done: true, text: `verified: read back, ${how}` };
  }
  if (loads === 'passed') return { done: false, text: because('only loaded in ONNX Runtime, not run', reason) };
  const text = 'not verified: the file was read back, but neither loaded nor run in ONNX Runtime';
  return { done: false, text: because(text, reason) };
}

function because(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}
