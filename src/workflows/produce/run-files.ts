import type { Model } from '../../ir/model.js';
import { checkModelOutput, comesWithData, modelOutputs } from '../../ir/write-model.js';
import type { ProduceOptions } from '../options.js';
import { reportPath } from './report-path.js';

/**
 * Looks at every file that a command which makes a model reads and writes, before it does any work, and tells the caller.
 * @param samplePaths files and folders of samples that are read
 * @throws SO1002, SO1004, SO1005, SO6001 as `checkOutputs`, and what the caller throws
 */
export function checkRunFiles(
  model: Model,
  path: string,
  outputPath: string,
  samplePaths: readonly string[],
  options: ProduceOptions,
): void {
  const reads = [path, ...(model.source?.externalPaths() ?? []), ...samplePaths];
  if (options.dryRun) {
    options.onFiles?.({ reads, writes: [] });
    return;
  }
  const report = { name: 'the report beside the output', path: reportPath(outputPath), replaces: 'text' } as const;
  const planned = { force: options.force ?? false, hasData: comesWithData(model), others: [report] };
  checkModelOutput(outputPath, reads, planned);
  options.onFiles?.({ reads, writes: [...modelOutputs(outputPath, planned), report] });
}
