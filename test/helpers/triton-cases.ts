/** Repositories that a real tritonserver was put before, and what it said: `fixtures/triton`, made by `npm run servers -- --record`. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RecordedAnswer } from '../servers/refusals/recorded-answer.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/triton');

/** All records, in the order of the table (test/servers/refusals/cases). */
export function recordedAnswers(): readonly RecordedAnswer[] {
  const text = readFileSync(join(FIXTURES, 'recorded-answers.json'), 'utf8');
  return (JSON.parse(text) as { readonly cases: readonly RecordedAnswer[] }).cases;
}

/** Lays out the repository of a record in an existing folder. */
export function layOutRecorded({ name, models }: RecordedAnswer, folder: string): void {
  for (const [model, { config, files, folders = [] }] of Object.entries(models)) {
    const home = join(folder, model);
    mkdirSync(home, { recursive: true });
    for (const empty of folders) mkdirSync(join(home, empty), { recursive: true });
    if (config) copyFileSync(join(FIXTURES, 'configs', name, model, 'config.pbtxt'), join(home, 'config.pbtxt'));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      if ('text' in content) writeFileSync(join(home, path), content.text);
      else copyFileSync(join(FIXTURES, 'models', content.shared), join(home, path));
    }
  }
}

/** Whether the configuration of a record is on disk, as the record says. */
export function hasConfig(name: string, model: string): boolean {
  return existsSync(join(FIXTURES, 'configs', name, model, 'config.pbtxt'));
}
