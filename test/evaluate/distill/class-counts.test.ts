import { describe, expect, it } from 'vitest';
import { ClassCounts } from '../../../src/evaluate/distill/class-counts.js';

function counted(rows: readonly (readonly [label: number, teacher: number, student: number])[]): ClassCounts {
  const counts = new ClassCounts();
  for (const [label, teacher, student] of rows) counts.observe({ label, teacher, student });
  return counts;
}

describe('the table of confusions', () => {
  const rows = [
    [0, 0, 0],
    [0, 0, 2],
    [0, 2, 2],
    [2, 2, 2],
    [2, 0, 2],
    [2, 2, 7],
  ] as const;

  it('has every row once for each model, a class that is only predicted too', () => {
    expect(counted(rows).result().table).toEqual({
      classes: [0, 2, 7],
      of: 3,
      teacher: [
        [2, 1, 0],
        [1, 2, 0],
        [0, 0, 0],
      ],
      student: [
        [1, 2, 0],
        [0, 2, 1],
        [0, 0, 0],
      ],
    });
  });

  it('does not depend on the split of the rows', () => {
    const first = counted(rows.slice(0, 2));
    first.merge(counted(rows.slice(2)));
    expect(first.result()).toEqual(counted(rows).result());
  });

  it('is of at most 16 classes whose confusions changed, where there are more', () => {
    const many = Array.from({ length: 40 }, (_, label) => [label, label, label] as const);
    const { classes, of, student } = counted([...many, [33, 33, 38], [33, 33, 38]]).result().table;
    expect(of).toBe(40);
    expect(classes).toEqual([33, 38]);
    expect(student[0]).toEqual([1, 2]);
  });
});
