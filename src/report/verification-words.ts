/** What was really done to a written file before it was handed over, no more. */
import type { OutputAgreement } from '../evaluate/equality.js';
import type { VerificationReport } from './types.js';

/** A sentence, and whether everything was done that could be. */
export interface Checks {
  readonly done: boolean;
  readonly text: string;
}

/** What was checked of a result, of any command that makes one. */
export function checksOf({ verification }: { readonly verification: VerificationReport }): Checks {
  const { runs, reason } = verification;
  if (runs === 'unchanged') return { done: true, text: 'the output is the input, byte for byte' };
  if (runs === 'passed') return { done: true, text: `verified: read back, ${howItRan(verification)}` };
  const text = howFarItWent(verification);
  return { done: false, text: reason === undefined ? text : `${text}: ${reason}` };
}

function howItRan({ arithmetic, outputs }: VerificationReport): string {
  if (arithmetic === 'emulated bfloat16')
    return 'compared in emulated BF16: every value rounded, sums inside one operator not; the file itself was not loaded';
  if (arithmetic !== undefined)
    return 'loaded and run in ONNX Runtime, and compared in emulated half precision: every value rounded to FP16, sums inside one operator not';
  const equal = outputs && (isBitForBit(outputs) ? ', equal bit for bit' : ', equal within rounding');
  return `loaded and run beside the original in ONNX Runtime${equal ?? ''}`;
}

/** Of what was not run. */
function howFarItWent({ interface: interfaceChecked, loads }: VerificationReport): string {
  const isLoaded = loads === 'passed';
  if (interfaceChecked === undefined)
    return isLoaded
      ? 'only loaded in ONNX Runtime, not run'
      : 'not verified: the file was read back, but neither loaded nor run in ONNX Runtime';
  const checked = isLoaded ? ', its interface checked and ONNX Runtime loaded it' : ' and its interface checked';
  return `not verified: the file was read back${checked}, but not run`;
}

/** Whether outputs were the same in every element, however much rounding would have been let pass. */
export function isBitForBit(outputs: readonly OutputAgreement[]): boolean {
  return outputs.every(({ elements, equal }) => elements === equal);
}
