import { leaves } from './check-folder.js';
import type { RuleId } from './rules.js';
import type { ModelView } from './view.js';

const BYTES: Readonly<Record<string, number>> = {
  TYPE_BOOL: 1,
  TYPE_UINT8: 1,
  TYPE_INT8: 1,
  TYPE_UINT16: 2,
  TYPE_INT16: 2,
  TYPE_FP16: 2,
  TYPE_BF16: 2,
  TYPE_UINT32: 4,
  TYPE_INT32: 4,
  TYPE_FP32: 4,
  TYPE_UINT64: 8,
  TYPE_INT64: 8,
  TYPE_FP64: 8,
};

/** Bytes of a tensor; undefined for strings, whose sizes vary, and unknown types. */
export function elementBytes(type: string | number | undefined, sizes: readonly number[]): number | undefined {
  const size = BYTES[String(type)];
  return size === undefined ? undefined : sizes.reduce((product, each) => product * each, size);
}

interface DataFile {
  readonly rule: RuleId;
  readonly field: string;
  /** Of the model: where Triton looks for the file. */
  readonly folder: string;
  readonly file: string;
  /** That it must have at least. */
  readonly bytes: number | undefined;
}

/** A file of values that the configuration names. */
export function checkDataFile(view: ModelView, { rule, field, folder, file, bytes }: DataFile): void {
  const path = `${folder}/${file}`;
  const entry = view.folder.entries.get(path);
  if (leaves(path)) view.at(rule, field, `The file "${file}" is outside of the folder "${folder}"`);
  else if (entry === undefined) {
    const elsewhere = view.folder.entries.has(file) ? `Move ${file} into ${view.name}/${folder}/` : undefined;
    view.at(rule, field, `There is no file "${path}"`, elsewhere);
  } else if (entry.kind === 'file' && bytes !== undefined && entry.sizeBytes < bytes) {
    view.at(rule, field, `The file "${path}" has ${entry.sizeBytes} bytes, and the tensor ${bytes}`);
  }
}
