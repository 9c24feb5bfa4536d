import type { TextPosition } from './text-syntax.js';

/** What is wrong with a text, at one place. */
export interface TextProblem extends TextPosition {
  /**
   * `encoding` and `syntax`: it is not in the format. `field`: the message has no such field. `value`: the field takes
   * another kind of value. `twice`: a field, or two of a oneof, where one may be. `limit`: it is too large. Notices: `octal`:
   * a number with a leading zero, `bytes`: a string that is not UTF-8, `key`: an entry of a map that a later one replaces.
   */
  readonly kind: 'encoding' | 'syntax' | 'field' | 'value' | 'twice' | 'limit' | 'octal' | 'bytes' | 'key';
  /** A sentence without a period. */
  readonly message: string;
  /** Of the field, `input[0].dims`; empty where the place is no field. */
  readonly path: string;
  /** What was probably meant, to write in its place. */
  readonly suggestion?: string;
}

/** A text, and whether some of its bytes are not UTF-8: they are U+FFFD in it. */
export interface DecodedText {
  readonly text: string;
  readonly isDamaged: boolean;
  readonly problem?: TextProblem;
}
