import type { PackageFinding } from '../../finding.js';
import { checkBatching } from './check-batching.js';
import { checkEnsemble } from './check-ensemble.js';
import { checkEnsembleCycles, checkEnsembleMembers } from './check-ensemble-members.js';
import { checkFolder, checkIdentity, checkNamedFiles, checkVersions } from './check-folder.js';
import { checkInstances } from './check-instances.js';
import { checkOnnx } from './check-onnx.js';
import { checkSequences } from './check-sequences.js';
import { checkTensors } from './check-tensors.js';
import { checkText } from './check-text.js';
import { checkWarmup } from './check-warmup.js';
import type { ModelFolderFacts, RepositoryFacts } from './facts.js';
import { Findings } from './findings.js';
import { ModelView } from './view.js';

/** Checks a repository, or the folder of one model. Pure: everything about files is in the facts. */
export function lintRepository({ kind, models }: RepositoryFacts): PackageFinding[] {
  const findings = new Findings();
  const views = new Map(models.map((folder) => [folder.name, new ModelView(folder, folder.config, findings)]));
  for (const view of views.values()) {
    findings.folder = view.folder.path;
    lintModel(view, kind === 'repository');
    for (const other of view.folder.otherConfigs) {
      const alternative = new ModelView(view.folder, other, findings);
      checkText(alternative);
      if (alternative.isReadable) lintConfig(alternative);
    }
  }
  if (kind === 'repository') lintEnsembles(views, findings);
  return sorted(
    findings.list,
    [...views.values()].map(({ folder }) => folder.path),
  );
}

function lintModel(view: ModelView, isInRepository: boolean): void {
  const { folder, effective } = view;
  checkText(view);
  if (isInRepository && isNoModel(folder)) {
    view.on('not-a-model', '', `The folder "${folder.name}" has neither a configuration nor a version`);
    return;
  }
  checkFolder(view);
  if (!view.isReadable || folder.unreadable !== undefined) return;
  if (folder.config === undefined && effective.versions.found.size > 0) {
    view.on('no-config', '', 'There is no config.pbtxt');
  }
  checkVersions(view);
  lintConfig(view);
}

/** Neither a configuration nor anything that could be a version. */
function isNoModel({ config, entries, unreadable }: ModelFolderFacts): boolean {
  if (config !== undefined || unreadable !== undefined) return false;
  for (const path of entries.keys()) if (/^\d/.test(path) || /(^|\/)config\.pb/i.test(path)) return false;
  return true;
}

/** What a configuration says, beside what is in its folder. */
function lintConfig(view: ModelView): void {
  checkIdentity(view);
  checkTensors(view);
  checkBatching(view);
  checkSequences(view);
  checkInstances(view);
  checkWarmup(view);
  checkNamedFiles(view);
  checkEnsemble(view);
  checkOnnx(view);
}

/** Ensembles after the models of their steps, which may be ensembles. */
function lintEnsembles(views: ReadonlyMap<string, ModelView>, findings: Findings): void {
  checkEnsembleCycles(views);
  const visited = new Set<ModelView>();
  const visit = (view: ModelView, depth: number): void => {
    if (visited.has(view) || depth > MAX_NESTING) return;
    visited.add(view);
    for (const { model_name: name = '' } of view.config.ensemble_scheduling?.step ?? []) {
      const member = views.get(name);
      if (member !== undefined) visit(member, depth + 1);
    }
    findings.folder = view.folder.path;
    if (view.isReadable) checkEnsembleMembers(view, views);
  };
  for (const view of views.values()) visit(view, 0);
}

/** Ensembles inside ensembles: deeper ones are checked on their own. */
const MAX_NESTING = 100;

/** By model, file and place. */
function sorted(findings: readonly PackageFinding[], order: readonly string[]): PackageFinding[] {
  const rank = new Map(order.map((path, index) => [path, index]));
  const modelOf = ({ path }: PackageFinding): number => rank.get(path.split('/')[0] ?? '') ?? rank.get('') ?? 0;
  return [...findings].sort(
    (a, b) =>
      modelOf(a) - modelOf(b) ||
      compareText(a.path, b.path) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
