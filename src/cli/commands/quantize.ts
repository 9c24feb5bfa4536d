import { dirname, join } from 'node:path';
import type { QuantizeReport } from '../../report/types.js';
import type { RunFiles } from '../../workflows/options.js';
import { quantizeModel } from '../../workflows/quantize-model.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { withStdoutFile } from '../model-to-stdout.js';
import { quantizeSummary, renderQuantize } from '../render/quantize-text.js';
import { shellWord } from '../render/shell-word.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from '../report-targets.js';
import { quantizeOptions } from '../workflow-options.js';

/** `serve-opt quantize <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const given = quantizeOptions(context, flags);
  const targets = reportTargets<QuantizeReport>(flags, async (made) => {
    const { quantizeHtml } = await import('../../report/html/quantize-html.js');
    return quantizeHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([path, flags.data, flags.eval], true));
  const options = { ...given, onFiles };
  if (flags.output !== '-') {
    const report = await quantizeModel(path, options);
    const failure = await writeReports(targets, report);
    const outputPath = flags['dry-run'] ? undefined : (flags.output ?? join(dirname(path), report.output.name));
    return { ...answer(context, report, path, flags, outputPath), failure };
  }
  const report = await withStdoutFile(context, flags, (outputPath) => quantizeModel(path, { ...options, outputPath }));
  const failure = await writeReports(targets, report);
  return { ...answer(context, report, path, flags, undefined), failure, stdoutTaken: true };
}

function answer(
  context: CommandContext,
  report: QuantizeReport,
  path: string,
  flags: FlagValues,
  outputPath: string | undefined,
): CommandResult {
  const warnings = [
    ...report.warnings,
    ...(report.verification.comparison?.warnings ?? []),
    ...(report.accuracy?.warnings ?? []),
  ];
  for (const message of warnings) context.progress.handle({ kind: 'warning', message });
  const next = nextCommand(report, path, flags, outputPath);
  return {
    report,
    text: () => renderQuantize(report, { ...context, outputPath }),
    summary: quantizeSummary(report),
    ...(next === undefined ? {} : { next }),
  };
}

/** What a user most likely wants next: calibration data when there was none, else a closer look at the result. */
function nextCommand(
  report: QuantizeReport,
  path: string,
  flags: FlagValues,
  outputPath: string | undefined,
): string | undefined {
  if (outputPath === undefined) return undefined;
  const wantsData = report.mode === 'dynamic' || report.leftInFloat.some((layer) => layer.opType.startsWith('Conv'));
  if (wantsData && report.mode !== 'static' && flags.data === undefined && flags.mode === undefined) {
    const output = flags.output === undefined ? '' : ` -o ${shellWord(outputPath)}`;
    return `serve-opt quantize ${shellWord(path)} --data SAMPLES${output} --force  (static INT8)`;
  }
  if (report.mode === 'none') return undefined;
  const data = flags.eval ?? flags.data;
  const dataWords = data === undefined ? '' : ` --data ${shellWord(data)}`;
  return `serve-opt compare ${shellWord(path)} ${shellWord(outputPath)}${dataWords}`;
}
