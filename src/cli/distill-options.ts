import { ServeOptError } from '../errors.js';
import type { Convention } from '../evaluate/distill/conventions.js';
import type { DistillInput, DistillOptions, NamePair } from '../workflows/distill/distill-options.js';
import type { FlagValues } from './flags.js';
import { readingOptions } from './reading-options.js';
import { budgetOptions, given, single } from './workflow-options.js';

/** What `distill` compares. @throws SO1001 where models and files of logits are mixed, or too few are given */
export function distillInput(models: readonly string[], flags: FlagValues): DistillInput {
  const { data, labels } = flags;
  const teacherLogits = flags['teacher-logits'];
  const hint = 'serve-opt distill teacher.onnx student.onnx --data val.npz';
  if (teacherLogits !== undefined) {
    const students = flags['student-logits'] ?? [];
    if (models.length > 0)
      throw new ServeOptError('SO1001', 'distill takes models or files of logits, not both', {
        why: `it was given ${models[0]} and --teacher-logits`,
        hint: 'leave one of them out',
      });
    if (students.length === 0)
      throw new ServeOptError('SO1001', 'distill needs the logits of a student', {
        hint: `serve-opt distill --teacher-logits ${teacherLogits} --student-logits student.npy`,
      });
    return { kind: 'logits', teacher: teacherLogits, students, ...given('labelsPath', labels) };
  }
  const [teacher, ...students] = models;
  if (teacher === undefined || students.length === 0)
    throw new ServeOptError('SO1001', 'distill needs a teacher and a student', { hint });
  if (data === undefined)
    throw new ServeOptError('SO1001', 'distill needs samples', {
      why: 'how alike models are depends on what they are given, and labels are stored with the samples',
      hint: `serve-opt distill ${models.join(' ')} --data val.npz`,
    });
  return { kind: 'models', teacher, students, dataPath: data, ...given('studentDataPaths', flags['student-data']) };
}

/** Flags of `distill` as options. @throws SO1006 */
export function distillOptions(flags: FlagValues): DistillOptions {
  const { preprocess, tokenizer, 'max-length': maxLength } = flags;
  return {
    ...readingOptions({
      ...given('preprocess', preprocess),
      ...given('tokenizer', tokenizer),
      ...given('max-length', maxLength),
    }),
    ...given('temperatures', numbers(flags.temperature, 'temperature')),
    ...given('alphas', numbers(flags.alpha, 'alpha')),
    // Parsing lets nothing else through.
    ...given('conventions', flags.convention as readonly Convention[] | undefined),
    ...given('outputKind', flags.kind),
    ...given('scores', flags.scores),
    ...given('outputName', flags['output-name']),
    ...given(
      'map',
      flags.map?.map((text) => pairOf(text, 'map')),
    ),
    ...given(
      'features',
      flags.feature?.map((text) => pairOf(text, 'feature')),
    ),
    ...given('mask', flags.mask),
    ...given('topK', flags['top-k']),
    ...given('bins', flags.bins),
    ...given('resamples', flags.resamples),
    ...given('seed', flags.seed),
    ...given('samples', flags.samples),
    ...given('batch', single(flags, 'batch')),
    ...given('cachePath', flags['teacher-cache']),
    ...given('cacheTopK', flags['cache-top-k']),
    ...(flags['no-measure'] ? { measure: false } : {}),
    ...budgetOptions(flags, 'distill'),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
    ...given('threads', single(flags, 'threads')),
    ...given('memory', flags.mem),
    ...given('executionProviders', flags.ep),
  };
}

function numbers(text: string | undefined, flag: string): number[] | undefined {
  return text?.split(',').map((part) => {
    const value = part.trim() === '' ? Number.NaN : Number(part);
    if (!Number.isNaN(value)) return value;
    throw new ServeOptError('SO1006', `The value "${text}" of --${flag} is not allowed`, {
      why: `"${part}" is not a number`,
      hint: `write --${flag} 1,2.5`,
    });
  });
}

/** `teacher:student`; a name may hold colons itself, as long as both halves do alike. */
function pairOf(text: string, flag: string): NamePair {
  const parts = text.split(':');
  const half = parts.length / 2;
  const [teacher, student] = [parts.slice(0, half).join(':'), parts.slice(half).join(':')];
  if (parts.length % 2 === 0 && teacher !== '' && student !== '') return { teacher, student };
  throw new ServeOptError('SO1006', `The value "${text}" of --${flag} is not allowed`, {
    why: 'it must be a name of the teacher and one of the student',
    hint: `write --${flag} TEACHER:STUDENT`,
  });
}
