import { basename, resolve } from 'node:path';
import type { LinearError } from '../../quantize/linear-weights.js';
import type { CheckpointReport } from '../../report/checkpoint-types.js';
import type { ReportHeader } from '../../report/types.js';
import type { CheckpointWork } from './checkpoint-work.js';
import { resultBytes } from './plan-shard.js';

/** Below this, the weights of a layer have lost so much that it is told. */
const LEAST_SQNR_DB = { 4: 12, 8: 25 } as const;
const MOST_NAMED = 3;

/** What a run knows at its end. */
type Outcome = Pick<CheckpointReport, 'written' | 'resumed' | 'rowsReadBack' | 'files'>;

/** The report of a checkpoint. @param errors by the name of the tensor */
export function describeCheckpoint(
  { checkpoint, mode, scheme, choice, plans, outputPath }: CheckpointWork,
  errors: ReadonlyMap<string, LinearError>,
  outcome: Outcome,
): Omit<CheckpointReport, Exclude<keyof ReportHeader, 'warnings' | 'notes'>> {
  const quantized = choice.quantized.map(({ module, tensor, outputs, inputs }) => {
    const { signal, noise } = errors.get(tensor) ?? { signal: 0, noise: 0 };
    return { name: module, outputs, inputs, sqnrDb: noise === 0 ? Infinity : 10 * Math.log10(signal / noise) };
  });
  const warnings: string[] = [];
  const least = LEAST_SQNR_DB[scheme.codes.bits];
  const lossy = quantized.filter(({ sqnrDb }) => sqnrDb < least).sort((a, b) => a.sqnrDb - b.sqnrDb);
  if (lossy.length > 0) {
    const named = lossy.slice(0, MOST_NAMED).map(({ name, sqnrDb }) => `${name} (${sqnrDb.toFixed(1)} dB)`);
    const more = lossy.length > MOST_NAMED ? ` and ${lossy.length - MOST_NAMED} more` : '';
    warnings.push(
      `The weights of ${named.join(', ')}${more} keep less than ${least} dB: --exclude leaves them as they are.`,
    );
  }
  const { codes } = scheme;
  const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
  const tensors = checkpoint.shards.flatMap(({ header }) => [...header.tensors.values()]);
  return {
    command: 'quantize checkpoint',
    mode,
    format: scheme.format,
    ...(codes.groupSize === undefined ? {} : { groupSize: codes.groupSize }),
    input: {
      name: basename(resolve(checkpoint.folder)),
      weightBytes: checkpoint.shards.reduce((sum, { source }) => sum + source.sizeBytes, 0),
    },
    output: { name: basename(outputPath), weightBytes: resultBytes(plans) },
    parameters: {
      total: tensors.reduce((sum, { shape }) => sum + elements(shape), 0),
      quantized: choice.quantized.reduce((sum, { outputs, inputs }) => sum + outputs * inputs, 0),
    },
    quantized,
    left: choice.left.map(({ module, reason }) => ({ name: module, reason })),
    skipped: checkpoint.skipped,
    serverCommand: `vllm serve ${basename(outputPath)}`,
    warnings,
    notes: [
      'The model was not run: vLLM needs a GPU. Compare its answers with those of the original before it serves people.',
      `vLLM has kernels for it on GPUs of compute capability ${scheme.gpu}.`,
      ...(outcome.resumed ? ['It went on from an earlier run that was interrupted.'] : []),
    ],
    ...outcome,
  };
}
