import { ServeOptError } from '../../errors.js';
import { labelCount, parseClassNames } from '../../samples/dataset/class-names.js';
import type { ServedTensor } from './serving-facts.js';

/** The file of labels in the folder of a model. */
export const LABELS_FILE = 'labels.txt';

/** Labels of one output. */
export interface OutputLabels {
  readonly output: string;
  /** One label a line. */
  readonly text: string;
  readonly count: number;
  readonly notes: readonly string[];
}

/**
 * Reads a file of labels, one a line or JSON, and finds the output that they belong to: the one of `wanted`, else the only one with so
 * many classes. Triton numbers all elements of a row, so an output has one dimension of more than 1 beside the batch.
 * @param fileName for messages
 * @throws SO3505 where the number of labels is not that of the classes, naming both; SO4001 for what is no file of labels
 */
export function outputLabels(
  text: string,
  fileName: string,
  outputs: readonly ServedTensor[],
  isBatched: boolean,
  wanted?: string,
): OutputLabels {
  const lines = parseClassNames(text, fileName);
  const unfit = lines.findIndex((line) => line.trim() === '' || /[\n\r]/.test(line));
  if (unfit >= 0)
    throw labelError(
      `Label ${unfit + 1} of "${fileName}" ${lines[unfit]?.trim() === '' ? 'is empty' : 'has a line break'}`,
      'Triton reads one label from each line, in the order of classes',
    );
  const output =
    wanted === undefined ? fittingOutput(outputs, lines.length, isBatched, fileName) : named(outputs, wanted);
  const classes = classCount(output, isBatched);
  if (typeof classes === 'string') {
    throw labelError(`"${fileName}" has labels for the output "${output.name}", which cannot have any: ${classes}`);
  }
  if (classes !== undefined && classes !== lines.length) {
    throw labelError(
      `"${fileName}" has ${labelCount(lines.length)}, and the output "${output.name}" has ${classes} classes`,
      `its type is ${output.typeText}`,
    );
  }
  const notes =
    classes === undefined
      ? [`The number of labels is not checked: the model leaves the last dimension of "${output.name}" open.`]
      : [];
  return { output: output.name, text: `${lines.join('\n')}\n`, count: lines.length, notes };
}

function labelError(message: string, why?: string): ServeOptError {
  return new ServeOptError('SO3505', message, why === undefined ? {} : { why });
}

function named(outputs: readonly ServedTensor[], wanted: string): ServedTensor {
  const found = outputs.find(({ name }) => name === wanted);
  if (found) return found;
  throw new ServeOptError('SO1006', `The value "${wanted}" of --output-name is not allowed`, {
    why: `the outputs are ${outputs.map(({ name }) => name).join(', ')}`,
  });
}

function fittingOutput(
  outputs: readonly ServedTensor[],
  count: number,
  isBatched: boolean,
  fileName: string,
): ServedTensor {
  const [only, second] = outputs;
  if (only !== undefined && second === undefined) return only;
  const fitting = outputs.filter((output) => classCount(output, isBatched) === count);
  const [first, another] = fitting;
  if (first !== undefined && another === undefined) return first;
  const list = outputs.map(({ name, typeText }) => `${name} (${typeText})`).join(', ');
  throw labelError(
    fitting.length === 0
      ? `"${fileName}" has ${labelCount(count)}, and no output has ${count} classes: ${list}`
      : `"${fileName}" has ${labelCount(count)}, and several outputs have ${count} classes: ${list}`,
    fitting.length === 0 ? undefined : 'name the output with --output-name',
  );
}

/** Classes of an output; undefined where the model leaves them open; a reason where they cannot be labelled. */
function classCount({ shape }: ServedTensor, isBatched: boolean): number | string | undefined {
  const row = (isBatched || typeof shape[0] !== 'number' ? shape.slice(1) : shape).filter((dim) => dim !== 1);
  if (row.length === 0) return 'it has one number a row';
  if (row.length > 1) return `a row of it has ${row.length} dimensions, and the server numbers all elements`;
  return typeof row[0] === 'number' ? row[0] : undefined;
}
