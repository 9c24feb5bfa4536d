import { ServeOptError } from '../../errors.js';
import { parseDuration } from '../../gates/units.js';
import { findProgram } from '../../machine/programs.js';
import { verifyPackage } from '../../workflows/package/verify/verify-package.js';
import type { VerifyPackageOptions } from '../../workflows/package/verify/verify-run.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { readingOptions } from '../reading-options.js';
import { renderPackageVerify } from '../render/package-verify-text.js';
import { given, workflowContext } from '../workflow-options.js';

/** `serve-opt package verify <package>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const report = await verifyPackage(path, await verifyOptions(context, flags), workflowContext(context));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const bad = report.models.filter(({ ok }) => !ok).map(({ name }) => name);
  const failure =
    bad.length === 0
      ? undefined
      : new ServeOptError(
          'SO7004',
          `${bad.length} of ${report.models.length} packaged models are not served as they should be`,
          {
            why: bad.slice(0, 8).join(', '),
          },
        );
  return {
    report,
    text: () => renderPackageVerify(report, context),
    ...(failure === undefined ? {} : { failure, exitCode: failure.exitCode }),
  };
}

async function verifyOptions({ env }: CommandContext, flags: FlagValues): Promise<VerifyPackageOptions> {
  const urls = [flags.url, flags['grpc-url']].filter((url) => url !== undefined);
  const duration = (name: 'timeout' | 'start-timeout'): number | undefined =>
    flags[name] === undefined ? undefined : parseDuration(flags[name], `--${name}`);
  return {
    ...(urls.length === 0 ? {} : { urls }),
    ...given('tritonServer', flags.tritonserver ?? (await findProgram('tritonserver', env))),
    ...given('torchServe', flags.torchserve ?? (await findProgram('torchserve', env))),
    ...given('headers', flags.header),
    ...given('dataPath', flags.data),
    ...readingOptions(flags),
    ...given('samples', flags.samples),
    ...given('seed', flags.seed),
    ...given('memory', flags.mem),
    ...given('timeoutMs', duration('timeout')),
    ...given('startLimitMs', duration('start-timeout')),
  };
}
