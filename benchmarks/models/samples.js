import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { createRandom } from '../../dist/tensor/random.js';
import { bytesOf, elementCount } from '../../dist/tensor/tensor.js';

/** Length of the fixed part of an .npy file of version 1: magic, version, length of the header. */
const NPY_PREFIX_BYTES = 10;
const NPY_ALIGNMENT_BYTES = 64;

/** Writes `dims[0]` samples of normally distributed numbers as an .npy file of float32. */
export function writeRandomSamples(path, dims, seed) {
  const random = createRandom(seed);
  const values = new Float32Array(elementCount(dims.slice(1)));
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w');
  try {
    writeSync(file, npyHeader(dims));
    for (let sample = 0; sample < dims[0]; sample++) {
      for (let i = 0; i < values.length; i++) values[i] = random.normal();
      writeSync(file, bytesOf(values));
    }
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
}

/** The header of NumPy's format, numpy.lib.format version 1.0. */
function npyHeader(dims) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`;
  const unpadded = NPY_PREFIX_BYTES + text.length + 1;
  const total = Math.ceil(unpadded / NPY_ALIGNMENT_BYTES) * NPY_ALIGNMENT_BYTES;
  const header = Buffer.alloc(total, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(total - NPY_PREFIX_BYTES, 8);
  header.write(text, NPY_PREFIX_BYTES, 'latin1');
  header.write('\n', total - 1, 'latin1');
  return header;
}
