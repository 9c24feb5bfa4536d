import { basename } from 'node:path';
import { StagedFiles } from '../codec/atomic-file.js';
import { reportJson } from '../report/json.js';

/** Writes a report beside its artefact: whole or not at all. @throws SO6001, SO6002 */
export async function writeReport(report: object, path: string): Promise<void> {
  const bytes = new TextEncoder().encode(reportJson(report));
  const staged = StagedFiles.create(path);
  await staged.write(basename(path), { parts: [bytes], sizeBytes: bytes.byteLength });
  staged.commit();
}
