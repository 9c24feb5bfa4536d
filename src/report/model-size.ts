import type { ReportModel } from './types.js';

/** Bytes of a model file and of the data files it refers to. */
export function modelSizeBytes(model: ReportModel): number {
  return (model.externalData ?? []).reduce((sum, file) => sum + file.sizeBytes, model.sizeBytes);
}
