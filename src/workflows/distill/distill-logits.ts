import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { DistillKind } from '../../evaluate/distill/distill-result.js';
import type { DistillReport } from '../../report/distill-types.js';
import { type NumberRows, openNumberRows } from '../../samples/dataset/number-rows.js';
import type { HostTensor } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import type { InContext } from '../options.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { figureOptions } from './checked-options.js';
import type { DistillLogits, DistillOptions, ScoreForm } from './distill-options.js';
import { evaluateOutputs } from './evaluate-outputs.js';
import { type EvaluatedStudent, finishReport } from './finish-report.js';
import { classLabels } from './output-choice.js';
import type { OutputFiles } from './output-files.js';
import { scoreTraitsOf } from './score-form.js';
import { distinctNames } from './subject.js';

/** Compares logits in files. Memory holds a part of each file, and some numbers of each row. */
export async function distillLogits(input: DistillLogits, options: InContext<DistillOptions>): Promise<DistillReport> {
  const figures = figureOptions(options);
  const { teacher, students, labelsPath } = input;
  const stages = new Stages(options);
  stages.start('read');
  const paths = [teacher, ...students];
  const names = distinctNames(paths);
  const others = [labelsPath, options.mask].filter((path) => path !== undefined);
  options.onFiles?.({ reads: [...paths, ...others], writes: [] });
  const watched = new WatchedInputs(...paths, ...others);
  return watched.during(options.signal, async () => {
    const kind = options.outputKind ?? 'classes';
    const scores = paths.map((path) => logitsOf(path, options.scores ?? 'auto'));
    const [first, ...rest] = scores as [OutputFiles, ...OutputFiles[]];
    for (const other of rest) checkAlike(first, other);
    const labels = labelsPath === undefined ? undefined : readLabelFile(labelsPath, first);
    const given =
      labels === undefined
        ? {}
        : kind === 'classes'
          ? { classes: classesOf(labels, first, labelsPath ?? '') }
          : { labels };
    const mask = options.mask === undefined ? {} : { mask: readMask(options.mask, first) };
    stages.end();
    const evaluated: EvaluatedStudent[] = [];
    const hashes = new FileHashes();
    try {
      for (const [i, student] of rest.entries()) {
        stages.start('evaluate');
        const evaluation = await evaluateOutputs(
          first,
          student,
          { kind, ...given, ...mask, signal: options.signal, progress: (done, total) => stages.advance(done, total) },
          figures,
        );
        stages.end(basename(students[i] ?? ''));
        const logits = await hashes.file(students[i] ?? '');
        evaluated.push({ name: names[i + 1] as string, logits, evaluation, features: [] });
      }
      const logits = await hashes.file(teacher);
      watched.check();
      return finishReport(
        {
          teacher: { name: names[0] as string, logits },
          students: evaluated,
          data: { name: logits.name, samples: first.rows, labelled: labels !== undefined },
          explanation: explanationOf(kind, first),
          warnings: [],
          notes: [],
        },
        figures,
        options,
      );
    } finally {
      await hashes.close();
    }
  });
}

function explanationOf(kind: DistillKind, { rowDims, probabilities, label }: OutputFiles): string {
  const form = kind === 'classes' ? `, read as ${probabilities ? 'probabilities' : 'logits'}` : '';
  return `${label} has rows of [${rowDims.join(', ')}], compared as ${kind}${form}`;
}

function logitsOf(path: string, form: ScoreForm): OutputFiles {
  const source = openNumberRows([path]);
  try {
    const { rows, rowDims, label } = source;
    if (rowDims.length === 0)
      throw new ServeOptError('SO4002', `"${label}" has one number for each sample`, {
        why: `its shape is [${rows}]; scores are [samples, classes] or [samples, tokens, classes]`,
        hint: 'save the scores of all classes, or add an axis and --kind regression',
      });
    const traits =
      form === 'auto' ? scoreTraitsOf(source) : { unit: form !== 'logits', probabilities: form !== 'logits' };
    return { name: label, label, paths: [path], rows, rowDims, ...traits };
  } finally {
    source.close();
  }
}

function checkAlike(teacher: OutputFiles, student: OutputFiles): void {
  if (student.rows !== teacher.rows)
    throw new ServeOptError(
      'SO4002',
      `"${student.label}" has ${student.rows} samples, "${teacher.label}" has ${teacher.rows}`,
      {
        hint: 'save the logits of both models for the same samples in the same order',
      },
    );
  if (student.rowDims.at(-1) !== teacher.rowDims.at(-1))
    throw new ServeOptError(
      'SO4005',
      `"${student.label}" has ${student.rowDims.at(-1)} classes, "${teacher.label}" has ${teacher.rowDims.at(-1)}`,
      { hint: 'teacher and student must have the same classes in the same order' },
    );
  if (student.rowDims.join() !== teacher.rowDims.join())
    throw new ServeOptError('SO4002', `"${student.label}" has rows of [${student.rowDims.join(', ')}]`, {
      why: `those of "${teacher.label}" are [${teacher.rowDims.join(', ')}]`,
    });
}

function readLabelFile(path: string, { rows, label: scores }: OutputFiles): HostTensor {
  const source: NumberRows = openNumberRows([path]);
  try {
    if (source.rows !== rows)
      throw new ServeOptError(
        'SO4005',
        `"${source.label}" has ${source.rows} labels, "${scores}" has ${rows} samples`,
        {
          hint: 'save one row of labels for each sample',
        },
      );
    const data = Float64Array.from(source.read(0, source.rows));
    return { dataType: DataType.DOUBLE, dims: [source.rows, ...source.rowDims], data };
  } finally {
    source.close();
  }
}

function classesOf(labels: HostTensor, { rows, rowDims }: OutputFiles, path: string): Int32Array {
  const classes = rowDims.at(-1) ?? 1;
  const perSample = rowDims.slice(0, -1).reduce((product, size) => product * size, 1);
  // Rows of one label each, or one number for each class.
  const width = labels.data.length / rows;
  const coding = perSample === 1 && width === classes && width > 1 ? 'one-hot' : 'classes';
  return classLabels(labels, { coding }, rows * perSample, classes, basename(path));
}

function readMask(path: string, { rows, rowDims }: OutputFiles): Uint8Array {
  const source = openNumberRows([path]);
  try {
    const perSample = rowDims.slice(0, -1).reduce((product, size) => product * size, 1);
    if (source.rows * source.width !== rows * perSample)
      throw new ServeOptError(
        'SO4002',
        `The mask "${source.label}" is [${[source.rows, ...source.rowDims].join(', ')}]`,
        {
          why: `the scores have ${rows} samples of ${perSample} tokens`,
        },
      );
    return Uint8Array.from(source.read(0, source.rows), (value) => (value === 0 ? 0 : 1));
  } finally {
    source.close();
  }
}
