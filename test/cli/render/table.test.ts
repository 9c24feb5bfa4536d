import { describe, expect, it } from 'vitest';
import { createStyle } from '../../../src/cli/render/style.js';
import { renderTable } from '../../../src/cli/render/table.js';

const style = createStyle(false);
const titles = [
  { title: 'node', flexible: true },
  { title: 'size', align: 'right' },
] as const;

describe('renderTable', () => {
  it('aligns columns without frames or trailing spaces', async () => {
    expect(
      await renderTable(
        titles,
        [
          ['conv', '1 MB'],
          ['a longer name', '12 MB'],
        ],
        { columns: undefined, style },
      ),
    ).toBe(['node            size', 'conv            1 MB', 'a longer name  12 MB'].join('\n'));
  });

  it('cuts only flexible columns to fit a terminal', async () => {
    const text = await renderTable(titles, [['x'.repeat(100), '12 MB']], { columns: 30, style });
    expect(text.split('\n').every((line) => line.length <= 30)).toBe(true);
    expect(text).toContain('…  12 MB');
  });

  it('writes rows as lists where even cut columns do not fit', async () => {
    const wide = [
      { title: 'output' },
      { title: 'type' },
      { title: 'cosine', align: 'right' },
      { title: 'same' },
    ] as const;
    const rows = [['logits', 'float', '0.99983', '99.6 % top-1']];
    expect(await renderTable(wide, rows, { columns: 28, style, indent: 2 })).toBe(
      ['  logits: type float, cosine', '    0.99983, same 99.6 %', '    top-1'].join('\n'),
    );
  });

  it('cuts nothing in a pipe', async () => {
    expect(await renderTable(titles, [['x'.repeat(300), 1]], { columns: undefined, style })).toContain('x'.repeat(300));
  });

  it('fits wide letters too', async () => {
    const text = await renderTable(titles, [['層'.repeat(60), 1]], { columns: 40, style });
    expect([...(text.split('\n')[1] ?? '')].filter((letter) => letter === '層').length).toBeLessThanOrEqual(18);
  });

  it('shows escape sequences in names instead of obeying them', async () => {
    expect(await renderTable(titles, [['\x1b[2Jgone\n', 1]], { columns: 80, style })).toContain('\\x1b[2Jgone\\n');
  });

  it('keeps its indent and colours apart from the width', async () => {
    const colourful = createStyle(true);
    const rows = [[{ text: 'ok', style: 'green' } as const, 5]];
    const text = await renderTable([{ title: '' }, { title: '' }], rows, { columns: 80, style: colourful, indent: 2 });
    expect(text).toBe('  \x1b[32mok\x1b[39m  5');
  });
});
