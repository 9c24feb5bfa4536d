import { ServeOptError } from '../../errors.js';
import { suggest } from '../../suggest.js';

/** A step of an ensemble, as connections see it. */
export interface StepNames {
  /** What `--map` calls it: the name of the model, with `#2` where the model is there twice. */
  readonly label: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A tensor of a step. */
export interface StepTensor {
  /** Number of the step, from 0. */
  readonly step: number;
  readonly tensor: string;
}

/** What a text of `--map` says. */
export interface Connections {
  /** Where inputs of steps come from, by step and input: an output of a step, or the name of an input of the ensemble. */
  readonly sources: ReadonlyMap<string, StepTensor | string>;
  /** Outputs of the ensemble by name. */
  readonly outputs: ReadonlyMap<string, StepTensor>;
}

/** The key of an input in `sources`. */
export function inputKey({ step, tensor }: StepTensor): string {
  return `${step}:${tensor}`;
}

/**
 * Reads connections: `STEP.INPUT=STEP.OUTPUT`, `STEP.INPUT=NAME` for an input of the ensemble, `NAME=STEP.OUTPUT` for an output
 * of it.
 * @throws SO1006 for what is none of these, SO3506 for a tensor that a step does not have, SO1002 for an input that is connected
 *   twice
 */
export function parseConnections(texts: readonly string[], steps: readonly StepNames[]): Connections {
  const sources = new Map<string, StepTensor | string>();
  const outputs = new Map<string, StepTensor>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const [left, right] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    if (at <= 0 || left === '' || right === '') throw notAllowed(text, 'it has no "=" with a name on both sides');
    const to = stepTensor(left, steps, 'inputs');
    const from = stepTensor(right, steps, 'outputs');
    if (to === undefined) {
      if (from === undefined) throw notAllowed(text, 'neither side begins with the name of a step');
      if (outputs.has(left)) throw twice(`the output "${left}" of the ensemble`, text);
      outputs.set(left, from);
      continue;
    }
    if (from !== undefined && from.step >= to.step) {
      throw new ServeOptError(
        'SO3506',
        `--map ${text} leads back: "${steps[from.step]?.label}" runs after its input is needed`,
        {
          why: 'steps run in the order of --ensemble',
          hint: 'put the step that produces the tensor first',
        },
      );
    }
    const key = inputKey(to);
    if (sources.has(key)) throw twice(`the input "${left}"`, text);
    sources.set(key, from ?? right);
  }
  return { sources, outputs };
}

function notAllowed(text: string, why: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of --map is not allowed`, {
    why,
    hint: 'write --map STEP.INPUT=STEP.OUTPUT, --map STEP.INPUT=NAME or --map NAME=STEP.OUTPUT',
  });
}

function twice(what: string, text: string): ServeOptError {
  return new ServeOptError('SO1002', `--map ${text} connects ${what} a second time`);
}

/** `STEP.TENSOR`; names of both may have dots, so the longest name of a step that fits counts. */
function stepTensor(text: string, steps: readonly StepNames[], side: 'inputs' | 'outputs'): StepTensor | undefined {
  let found: number | undefined;
  for (const [index, { label }] of steps.entries()) {
    const longer = found === undefined || label.length > (steps[found]?.label.length ?? 0);
    if (text.startsWith(`${label}.`) && longer) found = index;
  }
  const step = found === undefined ? undefined : steps[found];
  if (found === undefined || step === undefined) return undefined;
  const tensor = text.slice(step.label.length + 1);
  if (step[side].includes(tensor)) return { step: found, tensor };
  const near = suggest(tensor, step[side]);
  throw new ServeOptError('SO3506', `The step "${step.label}" has no ${side.slice(0, -1)} "${tensor}"`, {
    why: near === undefined ? `its ${side} are ${step[side].join(', ')}` : `did you mean "${near}"?`,
  });
}
