import type { MarOptions } from './mar-options.js';

export const MANIFEST_PATH = 'MAR-INF/MANIFEST.json';
export const HANDLER_FILE = 'onnx_handler.py';
export const MODEL_FILE = 'model.onnx';
export const CONFIG_FILE = 'model-config.yaml';
export const REQUIREMENTS_FILE = 'requirements.txt';

/** The earliest time that zip files can carry: the same in every archive without SOURCE_DATE_EPOCH. */
const FIXED_DATE = Date.UTC(1980, 0, 1) / 1000;

/** The manifest, with the fields of torch-model-archiver in their order. @param version of serve-opt */
export function manifestText({ name, version, sourceDate = FIXED_DATE }: MarOptions, serveOptVersion: string): string {
  const manifest = {
    createdOn: createdOn(sourceDate),
    runtime: 'python',
    model: {
      modelName: name,
      serializedFile: MODEL_FILE,
      handler: HANDLER_FILE,
      modelVersion: version,
      requirementsFile: REQUIREMENTS_FILE,
      configFile: CONFIG_FILE,
    },
    archiverVersion: `serve-opt ${serveOptVersion}`,
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** As the archiver writes it, in UTC: `31/12/2024 23:59:59`. @param seconds since 1970 */
function createdOn(seconds: number): string {
  const [, year = '', month = '', day = '', time = ''] =
    /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(new Date(seconds * 1000).toISOString()) ?? [];
  return `${day}/${month}/${year} ${time}`;
}
