import { BATCHING_CASES } from './cases/batching-cases.js';
import { ENSEMBLE_CASES } from './cases/ensemble-cases.js';
import { INSTANCE_CASES } from './cases/instance-cases.js';
import { OTHER_STYLE_CASES } from './cases/other-style-cases.js';
import { REPOSITORY_CASES } from './cases/repository-cases.js';
import { RESHAPE_CASES } from './cases/reshape-cases.js';
import { SHAPE_CASES } from './cases/shape-cases.js';
import { STYLE_CASES } from './cases/style-cases.js';
import { TENSOR_CASES } from './cases/tensor-cases.js';
import { TEXT_CASES } from './cases/text-cases.js';
import type { ServerCase } from './server-case.js';

/** By group, in order. */
export const CASE_GROUPS: Readonly<Record<string, readonly ServerCase[]>> = {
  text: TEXT_CASES,
  repository: REPOSITORY_CASES,
  tensors: [...TENSOR_CASES, ...RESHAPE_CASES, ...SHAPE_CASES],
  batching: BATCHING_CASES,
  instances: INSTANCE_CASES,
  ensembles: ENSEMBLE_CASES,
  styles: [...STYLE_CASES, ...OTHER_STYLE_CASES],
};

/** @throws Error for a name that stands twice, or an `ignored` without its reason */
export function allCases(): (ServerCase & { readonly group: string })[] {
  const cases = Object.entries(CASE_GROUPS).flatMap(([group, list]) => list.map((one) => ({ ...one, group })));
  const names = new Set<string>();
  for (const { name, outcome, ignored } of cases) {
    if (names.has(name)) throw new Error(`two cases are named ${name}`);
    if ((outcome === 'ignored') !== (ignored !== undefined))
      throw new Error(`${name} says ${outcome} and ignored: ${ignored}`);
    names.add(name);
  }
  return cases;
}
