import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { ServeOptError } from '../errors.js';
import type { ReportModel } from '../report/types.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import type { CommandContext } from './command.js';
import type { OutputStream } from './context.js';
import type { FlagValues } from './flags.js';

/**
 * `-o -`: lets `work` write into a temporary folder, then copies the model to stdout. Only a whole, checked model is
 * ever sent. @throws SO1006 for a terminal, SO6004 when the model does not fit one file.
 */
export async function withStdoutFile<R extends { readonly output: ReportModel }>(
  context: CommandContext,
  flags: FlagValues,
  work: (outputPath: string) => Promise<R>,
): Promise<R> {
  if (context.stdout.isTTY) {
    throw new ServeOptError('SO1006', 'A model is not written to a terminal', { hint: 'add > model.onnx, or -o PATH' });
  }
  return withWorkFolder(async (folder) => {
    const outputPath = join(folder.path, 'model.onnx');
    const report = await work(outputPath);
    if ((report.output.externalData ?? []).length > 0) {
      throw new ServeOptError('SO6004', 'The result has weights in a second file, which stdout cannot carry', {
        hint: 'write to a file with -o PATH',
      });
    }
    if (!flags['dry-run']) await copyToStream(outputPath, context.stdout, context.signal);
    return report;
  });
}

/** Waits for each chunk: a slow reader does not make the model pile up in memory. @throws SO6001 */
async function copyToStream(path: string, stream: OutputStream, signal: AbortSignal): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) {
    await new Promise<void>((resolve, reject) => {
      stream.write(chunk as Uint8Array, (error) => {
        if (error == null) resolve();
        else
          reject(
            new ServeOptError('SO6001', 'The model could not be written to stdout', {
              cause: error,
              why: error.message,
            }),
          );
      });
    });
  }
}
