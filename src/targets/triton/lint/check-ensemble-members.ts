/** The steps of an ensemble against the models that they run (Triton's `ValidateEnsembleConfig`). */
import { suggest } from '../../../suggest.js';
import { stepField } from './check-ensemble.js';
import type { ModelView } from './view.js';
import type { ServedTensor } from './view-tensors.js';

/** Where the type and shape of a tensor of the ensemble were first stated. */
interface Stated {
  readonly owner: string;
  readonly type: string | undefined;
  readonly dims: readonly number[];
  /** With the batch. */
  readonly full: readonly number[];
}

/** @param models all models of the repository, by name */
export function checkEnsembleMembers(view: ModelView, models: ReadonlyMap<string, ModelView>): void {
  const steps = view.config.ensemble_scheduling?.step ?? [];
  const stated = new Map<string, Stated>();
  for (const tensor of [...(view.inputs ?? []), ...(view.outputs ?? [])]) {
    // The ensemble's own side is compared after its reshape, the models' before theirs.
    if (!stated.has(tensor.name))
      stated.set(tensor.name, state('the ensemble', tensor.type, tensor.modelDims, view.maxBatchSize));
  }
  for (const [index, step] of steps.entries()) {
    const field = stepField(index);
    const name = step.model_name ?? '';
    if (name === '' || (step.model_namespace ?? '') !== '') continue;
    const member = models.get(name);
    if (member === undefined) {
      const near = suggest(name, models.keys());
      view.at(
        'ensemble-model',
        `${field}.model_name`,
        `There is no model "${name}" in the repository`,
        near === undefined ? undefined : `Write model_name: "${near}"`,
      );
      continue;
    }
    if (member === view) {
      view.at('ensemble-model', `${field}.model_name`, 'A step runs the ensemble itself');
      continue;
    }
    if (member.hasErrors) {
      view.at('ensemble-model-broken', `${field}.model_name`, `The model "${name}" does not load`);
      continue;
    }
    const version = BigInt(step.model_version ?? 0);
    if (version !== -1n && !member.effective.versions.loaded.includes(version)) {
      const isGiven = step.model_version !== undefined;
      const what = isGiven
        ? `Version ${version} of "${name}" is not loaded`
        : `Step ${index} has no model_version, which is version 0, and "${name}" has none`;
      view.at(
        'ensemble-model',
        isGiven ? `${field}.model_version` : field,
        what,
        'Write model_version: -1 for the latest',
      );
    }
    const most = member.maxBatchSize;
    if (most !== 0 && most < view.maxBatchSize) {
      view.at(
        'ensemble-batch',
        'max_batch_size',
        `max_batch_size is ${view.maxBatchSize}, and that of "${name}" in step ${index} is ${most}`,
        `Write max_batch_size: ${most}`,
      );
    }
    checkMaps(view, index, member, stated);
  }
}

function state(owner: string, type: string | undefined, dims: readonly number[], maxBatchSize: number): Stated {
  return { owner, type, dims, full: maxBatchSize > 0 ? [-1, ...dims] : dims };
}

function checkMaps(view: ModelView, index: number, member: ModelView, stated: Map<string, Stated>): void {
  const step = view.config.ensemble_scheduling?.step?.[index];
  const sides = [
    ['input', step?.input_map, member.inputs],
    ['output', step?.output_map, member.outputs],
  ] as const;
  for (const [kind, map = new Map<string, string>(), tensors] of sides) {
    if (tensors === undefined) continue;
    const names = tensors.map(({ name }) => name);
    for (const [key, tensor] of map) {
      const field = `${stepField(index)}.${kind}_map[${JSON.stringify(key)}]`;
      const found = tensors.find(({ name }) => name === key);
      if (found !== undefined) compare(view, tensor, found, member, stated, field);
      else {
        const isSwapped = names.includes(tensor);
        const near = suggest(key, names);
        const fix = isSwapped
          ? `Swap key and value: the key is the ${kind} of the model`
          : near === undefined
            ? undefined
            : `Write key: "${near}"`;
        view.at(
          'ensemble-map',
          field,
          `The model "${member.name}" has no ${kind} "${key}"; it has ${names.map((each) => `"${each}"`).join(', ')}`,
          fix,
        );
      }
    }
    if (kind === 'output') continue;
    for (const { name, isOptional } of tensors) {
      if (!isOptional && !map.has(name))
        view.at(
          'ensemble-map',
          `${stepField(index)}.input_map`,
          `The input "${name}" of the model "${member.name}" has no tensor in step ${index}`,
        );
    }
  }
}

function compare(
  view: ModelView,
  name: string,
  tensor: ServedTensor,
  member: ModelView,
  stated: Map<string, Stated>,
  field: string,
): void {
  const here = state(`"${member.name}"`, tensor.type, tensor.dims, member.maxBatchSize);
  const before = stated.get(name);
  if (before === undefined) {
    stated.set(name, here);
    return;
  }
  if (here.type !== undefined && before.type !== undefined && here.type !== before.type) {
    view.at(
      'ensemble-type',
      field,
      `The tensor "${name}" is ${before.type} in ${before.owner}, and ${here.type} in ${here.owner}`,
    );
    return;
  }
  if (agree(before.full, here.full)) return;
  const shapes = `[${before.full.join(', ')}] in ${before.owner}, and [${here.full.join(', ')}] in ${here.owner}`;
  // Triton compares the shapes without the batch, too, and lets one side have none.
  const isLenient = agree(before.dims, here.dims);
  const rule = isLenient ? 'ensemble-member-batch' : 'ensemble-shape';
  view.at(rule, field, `The tensor "${name}" has the shape ${shapes}`);
}

function agree(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === -1 || b[axis] === -1 || size === b[axis]);
}

/** Ensembles that run each other. */
export function checkEnsembleCycles(models: ReadonlyMap<string, ModelView>): void {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): void => {
    const view = models.get(name);
    if (view === undefined || finished.has(name)) return;
    path.push(name);
    for (const [index, step] of (view.config.ensemble_scheduling?.step ?? []).entries()) {
      const next = step.model_name ?? '';
      const from = path.indexOf(next);
      // One that runs itself is told with its step.
      if (from >= 0 && next !== name)
        view.at(
          'ensemble-model',
          `${stepField(index)}.model_name`,
          `Ensembles run each other: ${[...path.slice(from), next].join(' → ')}`,
        );
      else if (from < 0 && path.length < MAX_NESTING) visit(next);
    }
    path.pop();
    finished.add(name);
  };
  for (const name of models.keys()) visit(name);
}

/** Ensembles inside ensembles. */
const MAX_NESTING = 100;
