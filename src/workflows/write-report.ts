import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ServeOptError } from '../errors.js';
import { reportJson } from '../report/json.js';

/** Writes a report beside its artefact: whole or not at all. @throws SO6001 */
export async function writeReport(report: object, path: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeFile(temporary, reportJson(report), { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new ServeOptError('SO6001', `Cannot write the report "${path}"`, {
      why: cause instanceof Error ? cause.message : String(cause),
      location: { file: path },
      cause,
    });
  }
}
