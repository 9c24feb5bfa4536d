import { basename } from 'node:path';
import { StagedFiles } from '../codec/atomic-file.js';
import { resolveTarget } from '../codec/output-target.js';
import type { StagedModel } from '../ir/write-model.js';
import { reportJson } from '../report/json.js';
import { reportPath } from './produce/report-path.js';

/** A text that is on the disk but not under its name yet. */
interface StagedText {
  /** Makes it appear, over what is there. @throws SO6001 */
  commit(): void;
  /** Removes it without a trace, unless committed. */
  discard(): void;
}

/**
 * Lets an artefact appear with its report beside it. The report is on the disk before the artefact appears, so that a disk
 * without room for both gets neither. @throws SO1005, SO6001
 */
export async function commitWithReport(
  artefact: Pick<StagedModel, 'commit'>,
  report: object,
  outputPath: string,
): Promise<void> {
  const text = await stageText(reportJson(report), reportPath(outputPath));
  try {
    artefact.commit();
    text.commit();
  } finally {
    text.discard();
  }
}

/** Writes a text: whole or not at all, over what was there. @throws SO6001 */
export async function writeTextFile(text: string, path: string): Promise<void> {
  (await stageText(text, path)).commit();
}

async function stageText(text: string, path: string): Promise<StagedText> {
  const bytes = new TextEncoder().encode(text);
  const target = resolveTarget(path);
  const staged = StagedFiles.create(target.path, path);
  await staged.write(basename(target.path), { parts: [bytes], sizeBytes: bytes.byteLength });
  return { commit: () => staged.commit({ replace: true }), discard: () => staged.discard() };
}
