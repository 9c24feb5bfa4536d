import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { choicesByTraits, type OutputTraits } from '../../evaluate/choose-metric.js';
import type { DistillKind } from '../../evaluate/distill/distill-result.js';
import type { LabelCoding } from '../../evaluate/label-traits.js';
import { decodeLabels, labelTraits } from '../../evaluate/label-traits.js';
import { namedOtherwise, type OutputMeanings } from '../../evaluate/output-meaning.js';
import type { PeekResult } from '../../runtime/jobs/record.js';
import type { HostTensor } from '../../samples/types.js';
import { suggest } from '../../suggest.js';
import { DataType, dataTypeRow } from '../../tensor/dtype.js';

/** The output that is compared, and how. */
export interface OutputChoice {
  readonly output: string;
  readonly kind: DistillKind;
  /** Axis of the classes, from the end. */
  readonly axis: number;
  readonly coding: LabelCoding;
  readonly ignored?: number;
  /** One clause. */
  readonly because: string;
}

interface ChoiceWish {
  readonly outputKind?: DistillKind | undefined;
  readonly outputName?: string | undefined;
}

type Peeked = Pick<PeekResult, 'outputs' | 'labels'>;

/**
 * Chooses the output of the teacher by the labels, by the end of the graph, or by names. @throws SO1006 for an output that there is
 * not, SO4005 for labels that no output fits, SO4002 where no output is of floats
 */
export function chooseOutput(
  { outputs, labels }: Peeked,
  meanings: OutputMeanings,
  wish: ChoiceWish,
  dataPath: string,
): OutputChoice {
  const { outputName, outputKind } = wish;
  if (outputName !== undefined && !outputs.some(({ name }) => name === outputName))
    throw unknownOutput(outputName, outputs);
  const floats = outputs.filter(
    ({ name, dataType }) =>
      dataTypeRow(dataType)?.kind === 'float' && (outputName === undefined || outputName === name),
  );
  if (floats.length === 0)
    throw new ServeOptError('SO4002', 'The teacher has no output of floats to compare', {
      why: `its outputs are ${outputs.map(({ name }) => `"${name}"`).join(', ')}`,
      hint: 'export the model with its logits as an output',
    });
  if (labels && outputKind !== 'embedding') {
    const chosen = byLabels(floats, labels, meanings, wish);
    if (typeof chosen !== 'string') return chosen;
    if (outputKind === undefined) throw misfit(floats, labels, chosen, dataPath);
  }
  return byMeaning(floats, meanings, outputKind);
}

/** The kinds of metrics as kinds of comparisons. */
const KIND_OF_METRIC = {
  'top-1': 'classes',
  'multi-label': 'multi-label',
  auc: 'multi-label',
  ctc: 'ctc',
  error: 'regression',
  perplexity: 'classes',
} as const;

function byLabels(
  floats: Peeked['outputs'],
  labels: HostTensor,
  meanings: OutputMeanings,
  { outputKind }: ChoiceWish,
): OutputChoice | string {
  const traits = new Map(floats.map(({ name, dims }): [string, OutputTraits] => [name, traitsOf(dims)]));
  const choices = choicesByTraits(traits, labelTraits(labels), 1, {}, meanings);
  if (typeof choices === 'string') return choices;
  for (const { kind, output, axis = -1, coding, ignored, explanation } of choices) {
    if (kind === 'accuracy') continue;
    const found = KIND_OF_METRIC[kind];
    if (outputKind !== undefined && outputKind !== found) continue;
    return { output, kind: found, axis, coding, ...(ignored === undefined ? {} : { ignored }), because: explanation };
  }
  return 'no output of scores fits the labels';
}

function traitsOf(dims: readonly number[]): OutputTraits {
  const rows = dims[0] === 1 ? dims : [1, ...dims];
  return { dims: rows, elements: dims.reduce((product, size) => product * size, 1), kind: 'float' };
}

/** Without labels. */
function byMeaning(
  floats: Peeked['outputs'],
  meanings: OutputMeanings,
  outputKind: DistillKind | undefined,
): OutputChoice {
  // An embedding is looked for among the outputs that are not scores.
  const sign = outputKind === 'embedding' ? -1 : 1;
  const ranked = [...floats].sort((a, b) => sign * (doubt(a, meanings) - doubt(b, meanings)));
  const [{ name, dims }] = ranked as [Peeked['outputs'][number]];
  const meaning = meanings.get(name);
  const width = dims.at(-1) ?? 1;
  const kind =
    outputKind ??
    (namedOtherwise(name)
      ? 'embedding'
      : meaning?.kind === 'scores'
        ? meaning.exclusive
          ? 'classes'
          : 'multi-label'
        : width > 1
          ? 'classes'
          : 'regression');
  const because =
    outputKind === undefined
      ? `output "${name}" is taken as ${kind}${meaning ? `, as ${meaning.because}` : ''}`
      : `output "${name}" is compared as ${kind}`;
  return { output: name, kind, axis: kind === 'classes' ? (meaning?.axis ?? -1) : -1, coding: 'classes', because };
}

function doubt({ name }: { readonly name: string }, meanings: OutputMeanings): number {
  if (meanings.get(name)?.kind === 'scores') return 0;
  return namedOtherwise(name) ? 2 : 1;
}

function unknownOutput(name: string, outputs: Peeked['outputs']): ServeOptError {
  const names = outputs.map((output) => output.name);
  const near = suggest(name, names);
  return new ServeOptError('SO1006', `The value "${name}" of --output-name is not allowed`, {
    why: `the outputs are ${names.map((each) => `"${each}"`).join(', ')}`,
    hint: near === undefined ? 'serve-opt inspect MODEL lists the outputs' : `did you mean "${near}"?`,
  });
}

/** Labels beyond the classes are told with the first sample that has one. */
function misfit(floats: Peeked['outputs'], labels: HostTensor, why: string, dataPath: string): ServeOptError {
  const classes = Math.max(...floats.map(({ dims }) => dims.at(-1) ?? 1));
  const width = labels.data.length / (labels.dims[0] ?? 1);
  if (typeof labels.data[0] !== 'string') {
    for (let i = 0; i < labels.data.length; i++) {
      const label = Number(labels.data[i]);
      if (Number.isInteger(label) && label >= classes && labels.dataType === DataType.INT32)
        return labelRange(label, Math.floor(i / width), classes, basename(dataPath));
    }
  }
  return new ServeOptError('SO4005', `The labels in "${basename(dataPath)}" cannot be scored against any output`, {
    why,
    hint: 'name the output with --output-name and what it is with --kind, or remove the labels',
  });
}

/** A label that no class has. */
export function labelRange(label: number, sample: number, classes: number, name: string): ServeOptError {
  return new ServeOptError('SO4005', `The label ${label} of sample ${sample} in "${name}" is out of range`, {
    why: `the output has ${classes} classes, so labels must be from 0 to ${classes - 1}; labels below 0 are not scored`,
    hint: 'check that labels and model count classes alike',
  });
}

/** Class of each row as 32-bit integers, -1 for none. @param rows all rows, tokens of samples one after the other @throws SO4005 */
export function classLabels(
  labels: HostTensor,
  { coding, ignored }: Pick<OutputChoice, 'coding' | 'ignored'>,
  rows: number,
  classes: number,
  name: string,
): Int32Array {
  const decoded = decodeLabels(labels, coding, ignored);
  if (decoded.data.length !== rows) {
    throw new ServeOptError('SO4005', `"${name}" has ${decoded.data.length} labels for ${rows} rows of scores`, {
      hint: 'save one label for each sample, or for each token',
    });
  }
  const classOf = new Int32Array(rows);
  const perSample = rows / (labels.dims[0] ?? rows);
  for (let i = 0; i < rows; i++) {
    const label = Number(decoded.data[i]);
    if (!Number.isInteger(label))
      throw new ServeOptError('SO4005', `The label of sample ${Math.floor(i / perSample)} in "${name}" is ${label}`, {
        why: 'classes are whole numbers',
      });
    if (label >= classes) throw labelRange(label, Math.floor(i / perSample), classes, name);
    classOf[i] = label < 0 ? -1 : label;
  }
  return classOf;
}

/**
 * The output of a student that stands for one of the teacher: by the map, the name, or as the only one of its shape.
 * @throws SO4005 naming both sides, and class counts that differ
 */
export function matchingOutput(
  student: Peeked['outputs'],
  studentName: string,
  teacher: { readonly name: string; readonly dims: readonly number[]; readonly axis: number },
  map: ReadonlyMap<string, string>,
): string {
  const wanted = map.get(teacher.name) ?? teacher.name;
  const named = student.find(({ name }) => name === wanted);
  const floats = student.filter(({ dataType }) => dataTypeRow(dataType)?.kind === 'float');
  const alike = floats.filter(({ dims }) => sizesOf(dims) === sizesOf(teacher.dims));
  const list = floats.map(({ name, dims }) => `"${name}" [${dims.join(', ')}]`).join(', ');
  const hint = `name it with --map ${teacher.name}:NAME`;
  if (!named) {
    if (map.has(teacher.name))
      throw new ServeOptError('SO1006', `The value "${teacher.name}:${wanted}" of --map is not allowed`, {
        why: `"${studentName}" has no output "${wanted}"; it has ${list}`,
      });
    const [only] = alike.length === 1 ? alike : floats.length === 1 ? floats : [];
    if (!only)
      throw new ServeOptError('SO4005', `"${studentName}" has no output "${teacher.name}"`, {
        why: `the teacher gives [${teacher.dims.join(', ')}]; the student has ${list || 'no output of floats'}`,
        hint,
      });
    return checked(only);
  }
  return checked(named);

  function checked(output: Peeked['outputs'][number]): string {
    const [given, expected] = [output.dims.at(teacher.axis), teacher.dims.at(teacher.axis)];
    if (sizesOf(output.dims) === sizesOf(teacher.dims)) return output.name;
    throw new ServeOptError('SO4005', `"${studentName}" has ${given} classes, the teacher has ${expected}`, {
      why: `output "${output.name}" is [${output.dims.join(', ')}], that of the teacher [${teacher.dims.join(', ')}]`,
      hint: 'teacher and student must have the same classes in the same order',
    });
  }
}

/** Sizes without those of 1, which models keep or leave out. */
function sizesOf(dims: readonly number[]): string {
  return dims.filter((size) => size !== 1).join();
}
