import { ServeOptError } from '../../../errors.js';
import type { PackageFile } from '../../../targets/package-file.js';
import type { EntryFacts, ModelFolderFacts } from '../../../targets/triton/lint/facts.js';
import { lintRepository } from '../../../targets/triton/lint/lint-repository.js';
import { hashedSize } from '../../file-hash.js';
import type { EntryPlan } from './model-entries.js';

/**
 * Checks a configuration by the rules of `package check` before it is written: `--set` can say what a server refuses. The model
 * itself is no part of it: what the configuration says of it was made from it.
 * @param versions of the model, this one included
 * @returns what the server takes and ignores, one sentence each
 * @throws SO3503 for what it refuses
 */
export function lintPlan(
  name: string,
  configText: string,
  plan: readonly EntryPlan[],
  versions: readonly number[],
): string[] {
  const folder: EntryFacts = { kind: 'folder', sizeBytes: 0 };
  const entries = new Map<string, EntryFacts>();
  for (const version of versions) entries.set(String(version), folder);
  for (const { files } of plan) {
    for (const file of files) {
      const parts = file.path.split('/');
      for (let depth = 1; depth < parts.length; depth++) entries.set(parts.slice(0, depth).join('/'), folder);
      entries.set(file.path, { kind: 'file', sizeBytes: sizeOf(file) });
    }
  }
  const facts: ModelFolderFacts = {
    name,
    path: '',
    entries,
    config: { path: 'config.pbtxt', bytes: new TextEncoder().encode(configText) },
    otherConfigs: [],
    onnx: new Map(),
    labels: new Map(),
  };
  const findings = lintRepository({ kind: 'model', models: [facts] }).filter(({ path }) => path === 'config.pbtxt');
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined) {
    throw new ServeOptError('SO3503', `The server would refuse the configuration: ${error.what}`, {
      why: error.why,
      hint: error.fix,
    });
  }
  return findings.filter(({ severity }) => severity === 'warning').map(({ what, why }) => `${what}: ${why}.`);
}

function sizeOf(file: PackageFile): number {
  if ('text' in file) return Buffer.byteLength(file.text);
  return 'bytes' in file ? file.bytes.byteLength : hashedSize(file.source);
}
