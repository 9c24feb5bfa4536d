import { dirname, resolve } from 'node:path';
import { undoInterrupted } from '../../../codec/moved-together.js';
import { ServeOptError } from '../../../errors.js';
import type { KubernetesPackageReport } from '../../../report/kubernetes-types.js';
import type { PackagedFile } from '../../../report/package-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import { type KubernetesPackage, kubernetesFiles } from '../../../targets/kubernetes/manifests.js';
import type { KubernetesOptions } from '../../../targets/kubernetes/options.js';
import { todos } from '../../../targets/kubernetes/readme-todo.js';
import { packageVersion } from '../../../version.js';
import type { WorkflowContext } from '../../options.js';
import { textFile } from '../text-file.js';
import { kubernetesOptions, type PackageKubernetesOptions } from './kubernetes-options.js';
import type { KubernetesSource } from './kubernetes-source.js';
import { measurementsOf } from './measure.js';
import { checkSource, checkVersions, defaultServer, sourceKind, withSource } from './read-source.js';
import { planWriting, writeManifests } from './write-manifests.js';

/** What `packageKubernetes` gives back. */
export interface PackagedKubernetes {
  readonly report: KubernetesPackageReport;
  /** The files, in the order in which they are written. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/**
 * Writes manifests for Kubernetes into a folder: of a model, a Triton repository or a TorchServe archive. Requests, limits and probes
 * come from a report of `bench`, or from a measurement of the model now.
 * @param output folder; undefined to write nothing and give the files back
 * @throws SO1002, SO1006 for options, SO1005 for an output that exists, SO3511 for a report of another model, SO3512 for a source
 *   without models, and what reading and measuring a model throws
 */
export async function packageKubernetes(
  path: string,
  output: string | undefined,
  given: PackageKubernetesOptions = {},
  context: WorkflowContext = {},
): Promise<PackagedKubernetes> {
  const kind = sourceKind(path);
  const wanted = kubernetesOptions(given, defaultServer(kind));
  checkSource(path, kind, wanted.server);
  refuseSameFolder(path, output);
  return withSource(path, kind, { ...given, ...context }, async (source) => {
    const options = withInstances(wanted, given, source);
    const notes = checkVersions(source.facts, options);
    const measurements = await measurementsOf(source, { ...given, ...context });
    const made = kubernetesFiles(source.facts, options, measurements);
    if (output !== undefined && !given.dryRun) undoInterrupted(dirname(output));
    const plan = output === undefined ? undefined : planWriting(output, made, given.force ?? false);
    const isWritten = output !== undefined && plan !== undefined && !given.dryRun;
    const files = plan?.files ?? made.files;
    const written = isWritten ? await writeManifests(output, plan, context) : made.files.map(textFile);
    const more = { written: isWritten, kept: plan?.kept ?? [], removed: plan?.stale ?? [], files: written, notes };
    return { report: reportOf(made, source, output ?? '-', more), files: files as PackagedKubernetes['files'] };
  });
}

/** A repository says itself how many copies of a model it has. */
function withInstances(
  options: KubernetesOptions,
  given: PackageKubernetesOptions,
  { instances }: KubernetesSource,
): KubernetesOptions {
  return given.instances === undefined && instances !== undefined ? { ...options, instances } : options;
}

function refuseSameFolder(path: string, output: string | undefined): void {
  if (output === undefined || resolve(path) !== resolve(output)) return;
  throw new ServeOptError('SO1004', `The output "${output}" is the input itself`, {
    hint: 'choose another folder with -o',
  });
}

interface WrittenParts {
  readonly written: boolean;
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  readonly files: readonly PackagedFile[];
  readonly notes: readonly string[];
}

function reportOf(
  { deployed }: KubernetesPackage,
  { facts, measurable, warnings }: KubernetesSource,
  output: string,
  { notes, ...parts }: WrittenParts,
): KubernetesPackageReport {
  const { sizing, options, measurements } = deployed;
  const [only, another] = facts.models;
  const served = another === undefined ? only?.facts : undefined;
  const [first] = measurable;
  const value = ({ name, typeText }: { name: string; typeText: string }) => ({ name, type: typeText });
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'package kubernetes',
    version: packageVersion(),
    ...(measurements.onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion: measurements.onnxRuntimeVersion }),
    output,
    input: {
      name: facts.sourceName,
      sizeBytes: facts.models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      ...(facts.kind === 'model' && first?.report.sha256 !== undefined ? { sha256: first.report.sha256 } : {}),
    },
    inputs: served?.inputs.map(value) ?? [],
    outputs: served?.outputs.map(value) ?? [],
    ...parts,
    server: options.server,
    name: deployed.name,
    models: facts.models.map(({ name, versions }) => ({ name, versions })),
    resources: {
      cpuCores: sizing.cpuCores,
      memoryRequestBytes: sizing.memoryRequestBytes,
      memoryLimitBytes: sizing.memoryLimitBytes,
      gpus: options.gpus,
    },
    replicas: options.replicas,
    startup: {
      expectedSeconds: sizing.expectedStartSeconds,
      allowedSeconds: sizing.startup.periodSeconds * sizing.startup.failureThreshold,
    },
    measurements: {
      kind: measurements.kind,
      source: measurements.source,
      threads: measurements.threads,
      models: measurements.models.map(({ model, sessionMs, firstRunMs, modelBytes, p50Ms }) => ({
        name: model,
        sessionMs,
        firstRunMs,
        modelBytes,
        p50Ms,
      })),
    },
    todo: todos(deployed),
    warnings: [
      ...warnings,
      ...(measurements.kind === 'estimated'
        ? [`Nothing was measured (${measurements.source}): figures are estimated from sizes.`]
        : []),
      ...(options.server === 'torchserve'
        ? ['TorchServe is no longer maintained and gets no security fixes: prefer Triton or KServe.']
        : []),
    ],
    notes: [
      ...notes,
      ...(options.gpus > 0 && measurements.kind === 'measured'
        ? ['Times were measured on the CPU: the first start on a GPU may take longer.']
        : []),
    ],
  };
}
