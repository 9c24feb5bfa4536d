import { basename } from 'node:path';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import type { Model } from '../../ir/model.js';
import { inferTypes } from '../../ops/infer-types.js';
import type { RuntimeHost } from '../../runtime/host.js';
import type { SamplesResult } from '../../runtime/protocol.js';
import { dataKind } from '../../samples/dataset/data-kind.js';
import type { ValueSpec } from '../../samples/types.js';
import { inputSpecs, outputSpecs } from '../../samples/value-specs.js';
import { checkRunnable } from './runnable.js';

/** Looks at the paths of data sets before anything else is read. @throws SO2001… and SO4001… as `dataKind` */
export function checkDataPaths(...paths: readonly (string | undefined)[]): void {
  for (const path of paths) if (path !== undefined) dataKind(path);
}

/**
 * Holds a data set against the inputs of each model that will run on it: names, types, ranks, sizes, counts. The child process
 * does it with the readers that will read the samples, so nothing is said here that is not meant later.
 * @param batchSize rows of a run, where they are to be stacked
 * @returns what the data holds @throws SO4001…SO4005, SO2104
 */
export async function checkData(
  runtime: RuntimeHost,
  path: string,
  models: readonly [readonly ValueSpec[], ...(readonly ValueSpec[])[]],
  batchSize?: number,
): Promise<SamplesResult> {
  const [first, ...others] = models;
  const source = { kind: 'data', path } as const;
  const ask = (inputs: readonly ValueSpec[]): Promise<SamplesResult> =>
    runtime.request('samples', { source, inputs, ...(batchSize === undefined ? {} : { batchSize }) });
  const result = await ask(first);
  for (const inputs of others) if (!sameSpecs(inputs, first)) await ask(inputs);
  return result;
}

function sameSpecs(a: readonly ValueSpec[], b: readonly ValueSpec[]): boolean {
  return (
    a.length === b.length && a.every(({ name, typeText }, i) => name === b[i]?.name && typeText === b[i]?.typeText)
  );
}

/**
 * Holds labelled samples against the inputs and outputs of a model. What only a run can tell, such as the size of an output
 * without a declared shape, is left to the run.
 * @throws as `checkData`; SO4005 for labels that are missing, out of range or of another form; SO5006 where the model cannot
 *   be run at all
 */
export async function checkLabels(
  runtime: RuntimeHost,
  path: string,
  model: Model,
  wish: MetricWish = {},
): Promise<void> {
  const inputs = inputSpecs(model);
  const declared = outputSpecs(model);
  checkRunnable(inputs, declared, '--eval needs to run the model');
  const known = declared.every(({ shape }) => shape !== undefined);
  const outputs = known ? declared : inferredOutputs(model);
  await runtime.request('labels', { source: { kind: 'data', path }, inputs, outputs, label: basename(path), wish });
}

function inferredOutputs(model: Model): ValueSpec[] {
  const copy = model.clone();
  inferTypes(copy);
  return outputSpecs(copy);
}
