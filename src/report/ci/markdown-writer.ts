import { formatInteger } from '../format.js';

/** Room for the line that says what was cut. */
const RESERVE_BYTES = 300;

/**
 * Writes Markdown into a space that ends: tables lose whole rows and say how many, blocks are left out whole. What comes
 * first comes before all.
 */
export class MarkdownWriter {
  readonly #lines: string[] = [];
  #leftBytes: number;

  constructor(maximumBytes: number) {
    this.#leftBytes = maximumBytes - RESERVE_BYTES;
  }

  /** Lines that belong together. Answers false where they do not fit. */
  block(...lines: readonly string[]): boolean {
    const bytes = byteLength(lines);
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    this.#lines.push(...lines);
    return true;
  }

  /** A table with as many rows as fit. Cells are Markdown already. */
  table(
    titles: readonly { readonly title: string; readonly right?: boolean }[],
    rows: readonly (readonly string[])[],
  ): void {
    const head = [
      tableRow(titles.map(({ title }) => title)),
      tableRow(titles.map(({ right }) => (right ? '--:' : '---'))),
    ];
    if (!this.block(...head)) return;
    const written = rows.findIndex((row) => !this.block(tableRow(row)));
    if (written >= 0) {
      const hidden = rows.length - written;
      const note = `… and ${formatInteger(hidden)} more ${hidden === 1 ? 'row' : 'rows'}: too many for this page`;
      // There is room: it was kept for this line.
      this.#lines.push('', note);
      this.#leftBytes = 0;
    }
    this.block('');
  }

  /** Ends what a block has begun; there is always room for it. */
  close(...lines: readonly string[]): void {
    this.#lines.push(...lines);
    this.#leftBytes -= byteLength(lines);
  }

  text(): string {
    return `${this.#lines.join('\n').trimEnd()}\n`;
  }
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function byteLength(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}
