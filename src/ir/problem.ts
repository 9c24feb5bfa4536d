import type { ErrorCode, ErrorLocation } from '../errors.js';
import type { Node } from './node.js';

/** One broken rule. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly location: ErrorLocation;
}

/** No more than this many problems are collected: one fault can break every node of a model. */
export const MAX_PROBLEMS = 100;

/** Gathers problems up to the limit. */
export class ProblemList {
  readonly problems: Problem[] = [];

  get full(): boolean {
    return this.problems.length >= MAX_PROBLEMS;
  }

  add(message: string, location: ErrorLocation, code: ErrorCode = 'SO3001'): void {
    if (!this.full) this.problems.push({ code, message, location });
  }
}

/** How a node is called in messages: its name, else its first output. */
export function nodeLabel(node: Node): string {
  return node.name || node.outputs.find((output) => output !== undefined)?.name || '';
}
