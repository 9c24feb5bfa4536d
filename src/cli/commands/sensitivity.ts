import type { SensitivityReport } from '../../report/sensitivity-types.js';
import { shellWord } from '../../targets/shell-word.js';
import type { RunFiles } from '../../workflows/options.js';
import { sensitivity } from '../../workflows/sensitivity.js';
import type { CommandContext, CommandResult } from '../command.js';
import type { FlagValues } from '../flags.js';
import { idleFlags } from '../program.js';
import { renderSensitivity, sensitivitySummary } from '../render/sensitivity-text.js';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from '../report-targets.js';
import { sensitivityOptions, workflowContext } from '../workflow-options.js';

/** `serve-opt sensitivity <model>` */
export async function run(context: CommandContext, args: readonly string[], flags: FlagValues): Promise<CommandResult> {
  const [path = ''] = args;
  const given = sensitivityOptions(flags);
  const targets = reportTargets<SensitivityReport>(flags, async (made) => {
    const { sensitivityHtml } = await import('../../report/html/sensitivity-html.js');
    return sensitivityHtml(made);
  });
  const onFiles = (files: RunFiles): void => checkReportTargets(targets, files);
  onFiles(knownFiles([path, flags.data], true));
  const made = await sensitivity(path, { ...given, onFiles }, workflowContext(context));
  const report = { ...made, warnings: [...new Set([...idleFlags('sensitivity', flags), ...made.warnings])] };
  const failure = await writeReports(targets, report);
  for (const message of report.warnings) context.progress.handle({ kind: 'warning', message });
  const [worst] = report.layers;
  const data = flags.data === undefined ? '' : ` --data ${shellWord(flags.data)}`;
  const mode = flags.mode === undefined ? '' : ` --mode ${flags.mode}`;
  const next = `serve-opt quantize ${shellWord(path)}${data}${mode} --exclude ${shellWord(worst?.name ?? '')}`;
  return {
    report,
    text: () => renderSensitivity(report, context),
    summary: sensitivitySummary(report),
    failure,
    ...(worst === undefined ? {} : { next }),
  };
}
