import { dataTypeRow } from '../tensor/dtype.js';
import { choicesByTraits, type MetricWish, type OutputTraits } from './choose-metric.js';
import type { EvaluatedTensor } from './host-numbers.js';
import { type LabelTraits, labelTraits } from './label-traits.js';

/** An output as the model declares it. `ValueSpec` is one. */
export interface DeclaredOutput {
  readonly name: string;
  readonly dataType: number | undefined;
  readonly shape: readonly (number | string | undefined)[] | undefined;
  readonly typeText: string;
}

/**
 * Why labels cannot be scored against any output of a model, as far as the declared shapes tell; undefined where some output
 * fits, or might when it is run. @param rows samples of a run: more than 1 where the batch size is fixed
 */
export function whyLabelsDoNotFit(
  labels: EvaluatedTensor,
  outputs: readonly DeclaredOutput[],
  rows: number,
  wish: MetricWish = {},
): string | undefined {
  const why = whyUnusable(labels);
  if (why !== undefined) return why;
  const traits = labelTraits(labels);
  for (const output of outputs) {
    if (wish.output !== undefined && wish.output !== output.name) continue;
    const shapes = possibleShapes(output, rows, traits.width);
    // What only a run can tell is left to the run.
    if (shapes === undefined) return undefined;
    for (const shape of shapes) {
      const fitting = choicesByTraits(new Map([[output.name, shape]]), traits, rows, wish);
      if (typeof fitting !== 'string') return undefined;
    }
  }
  const known = outputs.slice(0, 4).map(({ name, typeText }) => `"${name}" is ${typeText}`);
  const more = outputs.length > known.length ? ' …' : '';
  const by = wish.metric === undefined ? '' : `; the requested metric is ${wish.metric}`;
  return `they are ${describeLabels(labels, traits)}; output ${known.join(', ')}${more}${by}`;
}

/** Labels that no metric could use, whatever the model. */
function whyUnusable({ data, dims, dataType }: EvaluatedTensor): string | undefined {
  if (data.length === 0) return 'there are none';
  if (typeof data[0] === 'string') return undefined;
  if (labelTraits({ data, dims, dataType }).coding === 'signs') return undefined;
  let scored = 0;
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) {
      const row = Math.floor(i / (data.length / (dims[0] ?? 1)));
      return `the label of sample ${row} is ${value}`;
    }
    if (value >= 0 || !Number.isInteger(value)) scored++;
  }
  return scored === 0 ? 'all of them are below 0, which marks what is not scored' : undefined;
}

/** `whole numbers from 0 to 9, one a sample`. */
function describeLabels({ data }: EvaluatedTensor, { kind, width }: LabelTraits): string {
  const each = width === 1 ? 'one per sample' : `${width} per sample`;
  if (kind === 'text') return `text, ${each}`;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return `${kind === 'integer' ? 'whole numbers' : 'numbers'} from ${least} to ${most}, ${each}`;
}

/**
 * Shapes that an output may take for labels of this width, the first dimension being the rows: an open one in the middle is a
 * number of steps or of labels. None for what is no tensor, undefined where too much is open.
 */
function possibleShapes({ dataType, shape }: DeclaredOutput, rows: number, width: number): OutputTraits[] | undefined {
  if (dataType === undefined) return [];
  if (shape === undefined) return undefined;
  const row = dataTypeRow(dataType)?.kind;
  const kind = row === 'float' ? 'float' : row === 'string' ? 'text' : 'other';
  const fixed = shape.map((dim, axis) => (typeof dim === 'number' && dim > 0 ? dim : axis === 0 ? rows : undefined));
  const open = fixed.flatMap((dim, axis) => (dim === undefined ? [axis] : []));
  const [middle] = open;
  if (open.length > 1 || (middle !== undefined && middle === fixed.length - 1)) return undefined;
  const product = (dims: readonly (number | undefined)[]): number =>
    dims.reduce<number>((total, dim) => total * (dim ?? 1), 1);
  const steps = middle === undefined ? [1] : [width, (rows * width) / product(fixed), 1].filter(Number.isInteger);
  return steps.map((step) => {
    const dims = fixed.map((dim) => dim ?? step);
    return { dims, elements: product(dims), kind };
  });
}
