import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode, temporaryError } from '../codec/system-error.js';
import { ServeOptError } from '../errors.js';
import type { ReportModel } from '../report/types.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import type { CommandContext } from './command.js';
import type { FlagValues } from './flags.js';
import type { OutputStream } from './output-stream.js';

/**
 * `-o -`: lets `work` write into a temporary folder, then copies the model to stdout. Only a whole, checked model is
 * ever sent. @throws SO1006 for a terminal, SO6001, SO6004 when the model does not fit one file.
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
    let report: R;
    try {
      report = await work(outputPath);
    } catch (error) {
      throw aboutFolder(error, folder.path);
    }
    if ((report.output.externalData ?? []).length > 0) {
      throw new ServeOptError('SO6004', 'The result has weights in a second file, which cannot be written to stdout', {
        hint: 'write to a file with -o PATH',
      });
    }
    if (!flags['dry-run']) await copyToStream(outputPath, context.stdout, context.signal);
    return report;
  });
}

/** A failure to write below a folder for temporary files, in the words that name the way out. */
function aboutFolder(error: unknown, folder: string): unknown {
  const isOurs = error instanceof ServeOptError && error.code === 'SO6001' && systemCode(error) !== undefined;
  return isOurs && error.location.file?.startsWith(folder) ? temporaryError(dirname(folder), error.cause) : error;
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
