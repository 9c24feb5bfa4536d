import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { QuantizeReport } from '../../report/types.js';
import { shellWord } from '../../targets/shell-word.js';
import { quantizeModel } from '../../workflows/quantize-model.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { runModelCommand } from '../model-command.js';
import { quantizeSummary, renderQuantize } from '../render/quantize-text.js';
import { quantizeOptions, workflowContext } from '../workflow-options.js';

/** `serve-opt quantize <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  if (flags.for === 'vllm') return (await import('../quantize-checkpoint.js')).runCheckpoint(context, path, flags);
  if (existsSync(join(path, 'config.json'))) {
    throw new ServeOptError('SO2002', `"${path}" is the folder of a checkpoint, not an ONNX model`, {
      hint: `serve-opt quantize ${shellWord(path)} --for vllm quantizes it for vLLM; or export it to ONNX first`,
      location: { file: path },
    });
  }
  const options = quantizeOptions(flags);
  return runModelCommand<QuantizeReport>(context, flags, {
    reads: [path, flags.data, flags.eval, flags.scheme],
    html: async (report) => (await import('../../report/html/quantize-html.js')).quantizeHtml(report),
    work: (run) => quantizeModel(path, { ...options, ...run }, workflowContext(context)),
    answer: (report, outputPath) => answer(context, report, path, flags, outputPath),
  });
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
  // ONNX Runtime loads neither as it is.
  if (report.mode === 'bf16' || report.mode === 'fp8') return `serve-opt tensorrt ${shellWord(outputPath)}`;
  const data = flags.eval ?? flags.data;
  const dataWords = data === undefined ? '' : ` --data ${shellWord(data)}`;
  return `serve-opt compare ${shellWord(path)} ${shellWord(outputPath)}${dataWords}`;
}
