import type { TextPosition } from './text-syntax.js';

/** What is wrong with a text, at one place. */
export interface TextProblem extends TextPosition {
  /**
   * `encoding` and `syntax`: it is not in the format. `field`: the message has no such field. `value`: the field takes
   * another kind of value. `twice`: a field, or two of a oneof, where one may be. `limit`: it is too large.
   */
  readonly kind: 'encoding' | 'syntax' | 'field' | 'value' | 'twice' | 'limit';
  /** A sentence without a period. */
  readonly message: string;
  /** Of the field, `input[0].dims`; empty where the place is no field. */
  readonly path: string;
  /** What was probably meant, to write in its place. */
  readonly suggestion?: string;
}
