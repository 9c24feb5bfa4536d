import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../codec/system-error.js';
import { writeFully } from '../../codec/write-fully.js';
import { bug } from '../../errors.js';
import { DataType } from '../../tensor/dtype.js';
import { elementCount } from '../../tensor/tensor.js';

/** numpy's names of the types that scores have. */
const DESCRIPTIONS: ReadonlyMap<number, readonly [descr: string, itemBytes: number]> = new Map([
  [DataType.FLOAT, ['<f4', 4]],
  [DataType.DOUBLE, ['<f8', 8]],
  [DataType.FLOAT16, ['<f2', 2]],
  [DataType.INT32, ['<i4', 4]],
]);

/** Whether rows of a type can be written. */
export function isWritable(dataType: number): boolean {
  return DESCRIPTIONS.has(dataType);
}

/** What is to be written. */
export interface NpyRows {
  readonly folder: string;
  /** File names are `<stem>.000.npy`, `<stem>.001.npy`, … */
  readonly stem: string;
  readonly dataType: number;
  readonly rowDims: readonly number[];
  /** All rows that there will be. */
  readonly rows: number;
  /** Rows of a file. */
  readonly rowsPerFile: number;
}

/** Writes rows of numbers into one .npy file after the other; the number of rows is known from the start. */
export class NpyWriter {
  readonly files: string[] = [];
  readonly #given: NpyRows;
  readonly #rowBytes: number;
  #fd: number | undefined;
  #leftInFile = 0;
  #written = 0;

  constructor(given: NpyRows) {
    this.#given = given;
    const [, itemBytes] = DESCRIPTIONS.get(given.dataType) ?? [];
    if (itemBytes === undefined) throw bug(`rows of data type ${given.dataType} cannot be written`);
    this.#rowBytes = elementCount(given.rowDims) * itemBytes;
  }

  /** @param bytes whole rows @throws SO6001 where they cannot be written */
  write(bytes: Uint8Array): void {
    let at = 0;
    const rows = this.#rowBytes === 0 ? 0 : bytes.byteLength / this.#rowBytes;
    for (let left = rows; left > 0; ) {
      if (this.#leftInFile === 0) this.#open();
      const count = Math.min(left, this.#leftInFile);
      const end = at + count * this.#rowBytes;
      writeFully(this.#fd as number, bytes.subarray(at, end));
      at = end;
      left -= count;
      this.#leftInFile -= count;
      this.#written += count;
    }
  }

  /** Ends the last file; safe to call again. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): void {
    this.close();
    const { folder, stem, rows, rowsPerFile, rowDims, dataType } = this.#given;
    const name = `${stem}.${String(this.files.length).padStart(3, '0')}.npy`;
    const path = join(folder, name);
    try {
      this.#fd = openSync(path, 'wx');
    } catch (cause) {
      throw fileError(path, cause);
    }
    this.files.push(name);
    this.#leftInFile = Math.min(rowsPerFile, rows - this.#written);
    const [descr = ''] = DESCRIPTIONS.get(dataType) ?? [];
    writeFully(this.#fd, npyHeader(descr, [this.#leftInFile, ...rowDims]));
  }
}

/** The header of a .npy file, version 1.0: padded so that the elements begin at a multiple of 64. */
function npyHeader(descr: string, dims: readonly number[]): Uint8Array {
  const shape = dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const prefix = 10;
  const padded = text.padEnd(Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix - 1, ' ');
  const header = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${padded}\n`, 'latin1');
  header.writeUInt16LE(padded.length + 1, 8);
  return header;
}
