import type { PackageFile } from '../package-file.js';
import { handlerText } from './handler/handler-text.js';
import { CONFIG_FILE, HANDLER_FILE, MANIFEST_PATH, MODEL_FILE, manifestText, REQUIREMENTS_FILE } from './manifest.js';
import type { MarPlan } from './mar-plan.js';
import { modelConfigText } from './model-config.js';
import { readmeText } from './readme.js';
import { requirementsText } from './requirements.js';

/** The files of an archive, sorted by path. @param version of serve-opt */
export function marFiles(plan: MarPlan, version: string): readonly PackageFile[] {
  const { facts, options, batch, text } = plan;
  const files: PackageFile[] = [
    { path: MANIFEST_PATH, text: manifestText(options, version) },
    { path: HANDLER_FILE, text: handlerText(plan, version) },
    { path: CONFIG_FILE, text: modelConfigText(options, batch) },
    { path: REQUIREMENTS_FILE, text: requirementsText(facts, options) },
    { path: 'README.md', text: readmeText(plan, version) },
    { path: MODEL_FILE, source: facts.path },
    ...facts.externalFiles.map(({ location, path }) => ({ path: location, source: path })),
  ];
  if (text && options.text) files.push({ path: text.file, source: options.text.tokenizerPath });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
