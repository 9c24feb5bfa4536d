import { ServeOptError } from '../../errors.js';
import type { PackageCheckReport } from '../../report/package-check-types.js';
import { countsPhrase } from '../../report/package-check-words.js';
import { checkPackage } from '../../workflows/package/check/check-package.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { renderPackageCheck } from '../render/package-check-text.js';
import { checkReportTargets, knownFiles, type ReportTarget, writeReports } from '../report-targets.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt package check <package>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const targets: ReportTarget<PackageCheckReport>[] =
    flags.junit === undefined ? [] : [{ flag: '--junit', path: flags.junit, make: junitOf }];
  checkReportTargets(targets, knownFiles([], true));
  const report = await checkPackage(path, workflowContext(context));
  const failure = (await writeReports(targets, report)) ?? whyFailed(report, flags.strict === true);
  return { report, text: () => renderPackageCheck(report, context), failure };
}

function whyFailed(report: PackageCheckReport, strict: boolean): ServeOptError | undefined {
  if (report.errors === 0 && !(strict && report.warnings > 0)) return undefined;
  const why = report.errors === 0 ? 'with --strict warnings fail, too' : 'the server would refuse it';
  return new ServeOptError('SO7003', `The package has ${countsPhrase(report)}`, {
    why,
    hint: 'correct what is listed, then check again',
  });
}

async function junitOf(report: PackageCheckReport): Promise<string> {
  const { packageJunit } = await import('../../report/ci/junit-package.js');
  return packageJunit(report);
}
