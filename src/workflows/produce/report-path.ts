import { basename, dirname, extname, join } from 'node:path';

/** Where a result goes when the caller does not say: beside the model, named for what was done (`int8`, `opt`). */
export function siblingPath(modelPath: string, tag: string): string {
  const extension = extname(modelPath);
  const stem = basename(modelPath, extension);
  return join(dirname(modelPath), `${stem}.${tag}${extension || '.onnx'}`);
}

/** Where the report of an output goes. */
export function reportPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath, extname(outputPath))}.report.json`);
}
