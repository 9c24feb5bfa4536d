import { ServeOptError } from '../../errors.js';
import { labelCount } from '../../samples/dataset/class-names.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { MarFacts } from './mar-facts.js';
import { DEFAULT_TOP_K, type MarOptions } from './mar-options.js';

/** Which output has the classes, and what a response says of them. */
export interface ClassPlan {
  readonly output: string;
  /** Of the output, among all. */
  readonly index: number;
  /** The output has numbers of classes, not a score for each. */
  readonly numbers: boolean;
  readonly top: number;
  readonly softmax: boolean;
}

const SCORES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE]);
const NUMBERS: ReadonlySet<number> = new Set([DataType.INT64, DataType.INT32]);

/**
 * The output that labels are about. Undefined where neither labels nor a count of classes are asked for.
 * @throws SO1002 for options that need classes, SO1003 for an output that there is none of, SO1006 where several outputs could have the classes, SO3505 for labels of
 * another count, SO3501 where no output has classes
 */
export function classPlan(facts: MarFacts, options: MarOptions): ClassPlan | undefined {
  const { labels, topK, softmax = false } = options;
  if (labels === undefined && topK === undefined) {
    const idle = softmax ? '--softmax' : options.outputName === undefined ? undefined : '--output-name';
    if (idle === undefined) return undefined;
    throw new ServeOptError('SO1002', `${idle} has no effect without classes`, {
      hint: 'add --labels FILE or --top-k N, or leave it out',
    });
  }
  const output = classOutput(facts, options);
  const classes = output.shape?.at(-1);
  const numbers = NUMBERS.has(output.dataType ?? DataType.UNDEFINED);
  if (!numbers && labels !== undefined && typeof classes === 'number' && classes !== labels.length) {
    throw new ServeOptError(
      'SO3505',
      `--labels has ${labelCount(labels.length)}, the output "${output.name}" ${classes} classes`,
      {
        why: `its type is ${output.typeText}`,
        hint: 'give one label for each class, or name another output with --output-name',
      },
    );
  }
  if (numbers && (softmax || topK !== undefined)) {
    throw new ServeOptError('SO1002', `The output "${output.name}" has class numbers, not scores`, {
      why: `its type is ${output.typeText}`,
      hint: 'leave out --softmax and --top-k, or name an output of scores with --output-name',
    });
  }
  if (softmax && facts.probabilities.has(output.name)) {
    throw new ServeOptError('SO1002', `The output "${output.name}" has probabilities already`, {
      why: 'a Softmax or Sigmoid makes it',
      hint: 'leave out --softmax',
    });
  }
  const most = typeof classes === 'number' ? classes : (labels?.length ?? Number.POSITIVE_INFINITY);
  return {
    output: output.name,
    index: facts.outputs.indexOf(output),
    numbers,
    top: Math.min(topK ?? DEFAULT_TOP_K, most),
    softmax,
  };
}

function classOutput({ outputs }: MarFacts, { outputName, labels }: MarOptions): ValueSpec {
  const able = outputs.filter(
    ({ dataType, shape }) => dataType !== undefined && (SCORES.has(dataType) || NUMBERS.has(dataType)) && shape,
  );
  if (outputName !== undefined) {
    const named = outputs.find(({ name }) => name === outputName);
    if (named && able.includes(named)) return named;
    if (named) throw noClasses(`the output "${named.name}" is ${named.typeText}`);
    throw new ServeOptError('SO1003', `The model has no output "${outputName}"`, {
      hint: `its outputs are ${outputs.map(({ name }) => name).join(', ')}`,
    });
  }
  const scores = able.filter(({ dataType, shape }) => SCORES.has(dataType as number) && (shape?.length ?? 0) > 0);
  const fits = scores.filter(({ shape }) => labels !== undefined && shape?.at(-1) === labels.length);
  const [best, second] = fits.length > 0 ? fits : scores.length > 0 ? scores : able;
  if (!best) throw noClasses('no output is a tensor of scores or of class numbers');
  if (second) {
    throw new ServeOptError('SO1006', 'More than one output could have the classes', {
      why: [best, second].map(({ name, typeText }) => `"${name}" is ${typeText}`).join(', '),
      hint: `add --output-name ${best.name}`,
    });
  }
  return best;
}

function noClasses(why: string): ServeOptError {
  return new ServeOptError('SO3501', 'The model has no output of classes', {
    why,
    hint: 'leave out --labels and --top-k: responses then have the outputs by name',
  });
}
