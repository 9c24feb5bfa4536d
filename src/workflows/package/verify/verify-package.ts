import type { PackageVerifyReport } from '../../../report/package-verify-types.js';
import { Secrets } from '../../../report/secrets.js';
import type { SampleSource } from '../../../samples/types.js';
import type { WorkflowContext } from '../../options.js';
import { checkDataPaths } from '../../preflight/data.js';
import { Stages } from '../../stages.js';
import { packageKind } from './package-kind.js';
import { verifyTorchServePackage } from './torchserve-package.js';
import { verifyTritonPackage } from './triton-package.js';
import { VERIFY_PACKAGE_DEFAULTS, type VerifyPackageOptions, type VerifyRun } from './verify-run.js';

/**
 * Loads a package in a real server and compares what it responds with ONNX Runtime: each sample by every protocol that the
 * server speaks, one after the other and all at once. A server that was started is ended, whatever happens.
 * @throws SO5107 where there is no server to start, SO5106 when it does not come up, SO3509 for what is not a package
 * @example
 * const report = await verifyPackage('models/', { tritonServer: '/opt/tritonserver/bin/tritonserver' });
 */
export async function verifyPackage(
  path: string,
  options: VerifyPackageOptions = {},
  context: WorkflowContext = {},
): Promise<PackageVerifyReport> {
  const { urls = [], headers } = options;
  const secrets = new Secrets({ urls, ...(headers ? { headers } : {}) });
  const { onProgress } = context;
  try {
    const report = await verify(path, options, {
      ...context,
      ...(onProgress ? { onProgress: (event) => onProgress(secrets.redactReport(event)) } : {}),
    });
    return secrets.redactReport(report);
  } catch (thrown) {
    throw secrets.redactError(thrown);
  }
}

function verify(path: string, options: VerifyPackageOptions, context: WorkflowContext): Promise<PackageVerifyReport> {
  checkDataPaths(options.dataPath);
  const kind = packageKind(path);
  const run: VerifyRun = { path, options, context, stages: new Stages(context), source: sourceOf(options) };
  return kind.kind === 'triton' ? verifyTritonPackage(run, kind) : verifyTorchServePackage(run, kind.path);
}

function sourceOf({ dataPath, samples, seed }: VerifyPackageOptions): SampleSource {
  const count = samples ?? VERIFY_PACKAGE_DEFAULTS.samples;
  return dataPath === undefined
    ? { kind: 'seeded', seed: seed ?? VERIFY_PACKAGE_DEFAULTS.seed, count }
    : { kind: 'data', path: dataPath, count };
}
