import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import type { Dim } from '../../src/ir/type.js';
import type { ValueSpec } from '../../src/samples/types.js';
import { dataTypeName } from '../../src/tensor/dtype.js';

/** A temporary folder, removed after the test file, and a way to put files into it. */
export function dataFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name: string, data: string | Uint8Array): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, data);
    return path;
  };
}

/** What a model input wants. */
export function spec(name: string, dataType: number, shape: readonly Dim[] | undefined): ValueSpec {
  const dims = shape ? `[${shape.map((dim) => dim ?? '?').join(',')}]` : '';
  return { name, dataType, shape, typeText: `${dataTypeName(dataType)}${dims}` };
}

/** Everything an error tells a user, in one text; fails when none is thrown. */
export async function errorText(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    return [error.code, error.message, error.why, error.hint].filter((part) => part !== undefined).join(' | ');
  }
  throw new Error('nothing was thrown');
}
