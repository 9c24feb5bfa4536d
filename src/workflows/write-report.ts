import { basename } from 'node:path';
import { StagedFiles } from '../codec/atomic-file.js';
import { reportJson } from '../report/json.js';

/** Writes a report beside its artefact: whole or not at all. @throws SO6001, SO6002 */
export function writeReport(report: object, path: string): Promise<void> {
  return writeTextFile(reportJson(report), path);
}

/** Writes a text: whole or not at all, over what was there. @throws SO6001, SO6002 */
export async function writeTextFile(text: string, path: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const staged = StagedFiles.create(path);
  await staged.write(basename(path), { parts: [bytes], sizeBytes: bytes.byteLength });
  staged.commit();
}
