import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface BenchTextOptions extends TextOptions {
  /** The terminal may lack block characters (`TERM=dumb`). */
  readonly ascii?: boolean;
}

/** Width of the words before facts. */
const LABEL_WIDTH = 13;

/** `Throughput  238/s`: a fact under a bold word, wrapped below itself. */
export function fact(label: string, text: string, { style, columns }: TextOptions): string {
  return wrapLine(style.bold(label) + ' '.repeat(Math.max(1, LABEL_WIDTH - label.length)) + text, columns, LABEL_WIDTH);
}

/** A warning sign and a sentence. */
export function caution(text: string, { style, columns }: TextOptions): string {
  return wrapLine(`${style.warning} ${text}`, columns, 2);
}
