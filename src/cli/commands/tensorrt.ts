import type { TensorRtPlanReport, TensorRtReport } from '../../report/tensorrt-types.js';
import { shellWord } from '../../targets/shell-word.js';
import type { RunFiles } from '../../workflows/options.js';
import type { TensorRtOptions } from '../../workflows/tensorrt/tensorrt-options.js';
import type { CommandContext, CommandResult } from '../command.js';
import { tensorRtOptions } from '../engine-options.js';
import { engineTargets } from '../engine-outputs.js';
import type { FlagValues } from '../flags.js';
import { keptOrRefused } from '../refused-result.js';
import { renderTensorRt, renderTensorRtPlan, tensorRtSummary } from '../render/tensorrt-text.js';
import { checkReportTargets, knownFiles, writeReports } from '../report-targets.js';
import { workflowContext } from '../workflow-options.js';

/** `serve-opt tensorrt <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const options = tensorRtOptions(flags, context);
  if (flags['dry-run']) return plan(context, path, options);
  const targets = engineTargets(flags);
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([path, flags.data, flags.baseline, flags.calib], true));
  const { buildEngine } = await import('../../workflows/tensorrt/build-engine.js');
  const { report, refused } = await keptOrRefused<TensorRtReport>((onRefused) =>
    buildEngine(path, { ...options, onFiles, onRefused }, workflowContext(context)),
  );
  const failure = (await writeReports(targets, report)) ?? refused;
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const outputPath = refused ? undefined : (flags.output ?? siblingOf(path, report));
  return {
    report,
    text: () => renderTensorRt(report, { ...context, outputPath }),
    summary: tensorRtSummary(report),
    ...(outputPath === undefined ? {} : { next: `serve-opt bench --engine ${shellWord(outputPath)}` }),
    failure,
    ...(refused ? { exitCode: refused.exitCode } : {}),
  };
}

async function plan(context: CommandContext, path: string, options: TensorRtOptions): Promise<CommandResult> {
  const { planEngine } = await import('../../workflows/tensorrt/plan-engine.js');
  const report: TensorRtPlanReport = await planEngine(path, options, workflowContext(context));
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  return { report, text: () => renderTensorRtPlan(report) };
}

/** Where the engine went, as the user would type it. */
function siblingOf(path: string, { engine }: TensorRtReport): string {
  const folder = /^(.*[/\\])[^/\\]*$/.exec(path)?.[1] ?? '';
  return folder + engine.name;
}
