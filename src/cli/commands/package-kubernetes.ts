import { ServeOptError } from '../../errors.js';
import { parseDuration } from '../../gates/units.js';
import { KUBERNETES_SERVERS } from '../../targets/kubernetes/options.js';
import type { PackageKubernetesOptions } from '../../workflows/package/kubernetes/kubernetes-options.js';
import { packageKubernetes } from '../../workflows/package/kubernetes/package-kubernetes.js';
import type { CommandContext, CommandResult } from '../command.js';
import { ONE_DIM, parseDims } from '../dims.js';
import type { FlagValues } from '../flags.js';
import { kubernetesSummary, manifestStream, nextCommand, renderKubernetes } from '../render/package-kubernetes-text.js';
import { given, placeOf, workflowContext } from '../workflow-options.js';

/** Where manifests go without `-o`. */
const DEFAULT_OUTPUT = 'k8s';

/** `serve-opt package kubernetes <source>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const toStdout = flags.output === '-';
  if (toStdout && flags.json) {
    throw new ServeOptError('SO1002', '-o - and --json contradict each other', {
      why: 'both write to stdout',
      hint: 'write the manifests to a folder with -o k8s/',
    });
  }
  const output = toStdout ? undefined : (flags.output ?? DEFAULT_OUTPUT);
  const { report, files } = await packageKubernetes(path, output, kubernetesFlags(flags), workflowContext(context));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return {
    report,
    text: () => (toStdout ? manifestStream(files) : renderKubernetes(report, files, context)),
    summary: kubernetesSummary(report),
    ...(report.written ? { next: nextCommand(report) } : {}),
  };
}

/** Flags as options; what was not given stays absent. @throws SO1002, SO1006 */
function kubernetesFlags(flags: FlagValues): PackageKubernetesOptions {
  const threads = one('--threads', flags.threads);
  const batch = one('--batch', flags.batch);
  // Here it is given once, so that it is not a list.
  const report = one('--report', [flags.report ?? []].flat());
  return {
    ...given('server', placeOf(flags, KUBERNETES_SERVERS)),
    ...given('name', flags.name),
    ...given('namespace', flags.namespace),
    ...given('image', flags.image),
    ...given('storage', flags.storage),
    ...given('replicas', flags.replicas),
    ...given('autoscaler', flags.autoscale),
    ...given(
      'maxQueueMs',
      flags['max-queue'] === undefined ? undefined : parseDuration(flags['max-queue'], '--max-queue'),
    ),
    ...given('prometheus', flags.prometheus),
    ...given('device', flags.device),
    ...given('instances', flags.instances),
    ...given('split', flags.split),
    ...given('router', flags.route),
    ...given('gateway', flags.gateway),
    ...given('host', flags.host),
    ...given('rateLimit', flags['rate-limit']),
    ...given('podMonitor', flags['pod-monitor']),
    ...given('token', flags.token),
    ...given('reportPath', report),
    ...(flags['no-measure'] ? { measure: false } : {}),
    ...given('threads', threads),
    ...given('batch', batch),
    ...given('dataPath', flags.data),
    ...given(
      'dims',
      flags.dim && new Map([...parseDims(flags.dim, ONE_DIM)].map(([name, [size = 1]]) => [name, size])),
    ),
    ...given('seed', flags.seed),
    ...given('memory', flags.mem),
    ...given('force', flags.force),
    ...given('dryRun', flags['dry-run']),
    ...given('allowLinks', flags['allow-links']),
    ...given('allowInvalid', flags['allow-invalid']),
  };
}

/** The only value of a list. @throws SO1006 */
function one<T>(flag: string, values: readonly T[] | undefined): T | undefined {
  const [value, second] = values ?? [];
  if (second === undefined) return value;
  throw new ServeOptError('SO1006', `The value "${values?.join(',')}" of ${flag} is not allowed`, {
    why: 'it must be one: pods are of one size',
  });
}
