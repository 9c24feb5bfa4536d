import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputError, systemCode } from '../../codec/system-error.js';
import { ServeOptError } from '../../errors.js';
import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import { printModel } from '../../ir/text/print-model.js';
import type { AppliedRewrite } from '../../passes/engine/run-rewrites.js';
import type { Pipeline } from './pipeline.js';

/** Elements of a tensor that a dump shows. */
const SHOWN_ELEMENTS = 8;
/** Passes take turns at nodes; where they do so more often, several turns share a file. */
const MOST_FILES = 400;
/** Nodes that all dumps together show: a graph of a hundred thousand nodes is not written hundreds of times. */
const MOST_NODES = 4_000_000;
const FILE_NAME = /^\d{3}-.*\.onnx\.txt$/;

/** Makes the folder for dumps, before work is done for it. @throws SO1005 when it holds dumps and must not lose them, SO6001 */
export function prepareDumps(folder: string, force: boolean): void {
  try {
    mkdirSync(folder, { recursive: true });
    const old = readdirSync(folder).filter((name) => FILE_NAME.test(name));
    if (old.length > 0 && !force) {
      throw new ServeOptError('SO1005', `"${folder}" contains ${old.length} dumps of another run`, {
        hint: 'add --force to replace them, or choose another folder',
      });
    }
    for (const name of old) rmSync(join(folder, name));
  } catch (error) {
    throw dumpError(folder, error);
  }
}

/** A folder that stands for a file, or the other way round, is named as what it is. */
function dumpError(folder: string, error: unknown): ServeOptError {
  if (systemCode(error) !== 'EEXIST') return outputError(folder, error);
  const hint = 'give --dump-after a folder';
  return new ServeOptError('SO6001', `Cannot write to "${folder}": it is a file, not a folder`, { hint, cause: error });
}

/**
 * Writes the graph as text before the first change and after each turn of a pass: `000-original.onnx.txt`,
 * `001-fold-constants.onnx.txt` and so on. Runs the passes once more for it. @throws SO6001
 */
export async function dumpAfterPasses(
  folder: string,
  pipeline: Pipeline,
  applied: readonly AppliedRewrite[],
): Promise<number> {
  const turns = turnsOf(applied);
  const mostFiles = Math.min(MOST_FILES, Math.max(4, MOST_NODES / countModel(pipeline.base).nodes));
  const step = Math.max(1, Math.ceil(turns.length / mostFiles));
  const wanted = new Map<number, string>();
  for (const [index, { pass, end }] of turns.entries())
    if ((index + 1) % step === 0 || index === turns.length - 1) wanted.set(end, pass);
  let files = 0;
  const write = (model: Model, name: string): void => {
    const path = join(folder, `${String(files).padStart(3, '0')}-${name}.onnx.txt`);
    try {
      // Exclusively: a link that was put there meanwhile is not followed.
      writeFileSync(path, printModel(model, { maxElements: SHOWN_ELEMENTS }), { flag: 'wx' });
    } catch (error) {
      throw outputError(path, error);
    }
    files++;
  };
  write(pipeline.base, 'original');
  let changes = 0;
  await pipeline.run({
    onApplied: (model) => {
      changes++;
      const pass = wanted.get(changes);
      if (pass !== undefined) write(model, pass);
    },
  });
  return files;
}

/** Runs of changes by one pass: the pass, and how many changes there were at its end. */
function turnsOf(applied: readonly AppliedRewrite[]): { readonly pass: string; readonly end: number }[] {
  const turns: { pass: string; end: number }[] = [];
  for (const [index, { pass }] of applied.entries()) {
    const last = turns.at(-1);
    if (last?.pass === pass) last.end = index + 1;
    else turns.push({ pass, end: index + 1 });
  }
  return turns;
}
