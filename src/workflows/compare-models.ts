import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import { formatType } from '../ir/type.js';
import { assertUsable } from '../ir/usable.js';
import { type CompareReport, REPORT_SCHEMA_VERSION } from '../report/types.js';
import { startRuntime } from '../runtime/host.js';
import type { SampleSource } from '../runtime/types.js';
import { inputSpecs } from '../runtime/value-specs.js';
import { packageVersion } from '../version.js';
import { COMPARE_DEFAULTS, type CompareOptions } from './options.js';
import { FileHashes } from './report-files.js';
import { Stages } from './stages.js';
import { loadPair, whyNotRunnable } from './verify.js';

/** Limits of the latency measurement beside the comparison. */
const LATENCY_LIMITS = { minRuns: 60, maxMs: 4000 } as const;

/**
 * Runs two models on the same samples and tells how far apart their outputs are, and their latencies measured in turns.
 * @throws SO4002 when the models do not take the same inputs, SO5006 when ONNX Runtime for Node cannot pass them
 */
export async function compareModels(
  pathA: string,
  pathB: string,
  options: CompareOptions = {},
): Promise<CompareReport> {
  const stages = new Stages(options);
  stages.start('read');
  const links = options.allowLinks ? { allowLinks: true } : {};
  const a = await readModel(pathA, links);
  let b: Model | undefined;
  try {
    b = await readModel(pathB, links);
    assertUsable(a);
    assertUsable(b);
    checkInterfaces(a, b);
    stages.end();
    return await compareOpened(a, b, pathA, pathB, options, stages);
  } finally {
    a.source?.close();
    b?.source?.close();
  }
}

async function compareOpened(
  a: Model,
  b: Model,
  pathA: string,
  pathB: string,
  options: CompareOptions,
  stages: Stages,
): Promise<CompareReport> {
  const reason = whyNotRunnable(a) ?? whyNotRunnable(b);
  if (reason !== undefined)
    throw new ServeOptError('SO5006', reason, { hint: 'such models cannot be compared by running them' });
  const source: SampleSource =
    options.dataPath === undefined
      ? {
          kind: 'seeded',
          seed: options.seed ?? COMPARE_DEFAULTS.seed,
          count: Math.min(options.samples ?? 8, COMPARE_DEFAULTS.samples),
        }
      : { kind: 'data', path: options.dataPath, ...(options.samples === undefined ? {} : { count: options.samples }) };
  const hashes = new FileHashes();
  const runtime = await startRuntime(options.signal ? { signal: options.signal } : {});
  try {
    stages.start('load');
    const pair = await loadPair(runtime, a, { a: pathA, b: pathB }, { ...options, ...stages.context('compare') });
    stages.end();
    stages.start('compare');
    const fitted = await pair.fit(source);
    if (typeof fitted === 'string') {
      throw new ServeOptError('SO5002', `The models cannot be compared: ${fitted}`, {
        hint: 'give real samples with --data',
      });
    }
    const comparison = await pair.compare(fitted, 1);
    stages.end(`${comparison.samples} samples`);
    stages.start('measure');
    const latency = await pair.latency(fitted, LATENCY_LIMITS);
    stages.end();
    const { onnxRuntime } = await runtime.request('versions', undefined);
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'compare',
      version: packageVersion(),
      onnxRuntimeVersion: onnxRuntime,
      a: await hashes.model(pathA, a.source?.externalPaths() ?? []),
      b: await hashes.model(pathB, b.source?.externalPaths() ?? []),
      comparison,
      latency,
      warnings: comparison.warnings,
      notes: [],
    };
  } finally {
    await hashes.close();
    await runtime.close();
  }
}

/** Both models must take the same inputs, by name and element type. @throws SO4002 naming both sides */
function checkInterfaces(a: Model, b: Model): void {
  const wanted = inputSpecs(a);
  const given = new Map(inputSpecs(b).map((spec) => [spec.name, spec]));
  for (const spec of wanted) {
    const other = given.get(spec.name);
    given.delete(spec.name);
    if (other && other.dataType === spec.dataType) continue;
    const text = b.graph.inputs.map((value) => `${value.name}: ${formatType(value.type)}`).join(', ');
    throw new ServeOptError(
      'SO4002',
      `The models do not take the same inputs: one has "${spec.name}: ${spec.typeText}", the other ${text || 'none'}`,
    );
  }
  const [extra] = given.keys();
  if (extra !== undefined)
    throw new ServeOptError('SO4002', `The models do not take the same inputs: only the second has "${extra}"`);
}
