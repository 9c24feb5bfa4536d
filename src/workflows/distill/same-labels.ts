import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { HostTensor } from '../../samples/types.js';
import { peekData, type Subject } from './subject.js';

/**
 * Whether data of its own of a student has the samples of the teacher in their order, as far as labels can tell. Data without
 * labels, of the one or the other, tells nothing.
 * @throws SO4002 naming the first sample whose labels differ
 */
export async function checkSameLabels(
  student: Subject,
  teacher: Subject,
  labels: HostTensor | undefined,
  runtime: Parameters<typeof peekData>[2],
): Promise<void> {
  if (labels === undefined || student.source.path === teacher.source.path) return;
  const { labels: own, count } = await peekData(student, undefined, runtime);
  // Another count of samples has a message of its own.
  if (own === undefined || own.data.length !== labels.data.length) return;
  const differs = Array.from(own.data as ArrayLike<unknown>).findIndex(
    (value, i) => `${value}` !== `${labels.data[i]}`,
  );
  if (differs < 0) return;
  const [file, teachers] = [basename(student.source.path), basename(teacher.source.path)];
  throw new ServeOptError('SO4002', `"${file}" has other labels than "${teachers}"`, {
    why: `sample ${Math.floor(differs / (own.data.length / count))} has ${own.data[differs]} in the one, and ${labels.data[differs]} in the other`,
    hint: 'give the same samples in the same order with --student-data',
  });
}
