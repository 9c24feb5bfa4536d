import { join } from 'node:path';
import type { Hold } from './context.js';

/** The environment with which every Node process of a run first loads a script, given from test/. */
export function preloaded(hold: Hold, script: string): Readonly<Record<string, string>> {
  const path = join(hold.root, 'test', script);
  return { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require "${path}"`.trim() };
}
