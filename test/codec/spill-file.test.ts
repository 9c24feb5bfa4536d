import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SpillFile } from '../../src/codec/spill-file.js';
import { CHUNK_BYTES, Tensor } from '../../src/tensor/tensor.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function spill(path = join(folder(), 'weights.bin')): SpillFile {
  const file = new SpillFile(path);
  onTestFinished(() => file.close());
  return file;
}

/** More than one piece of `chunks()`. */
const LONG = Float32Array.from({ length: CHUNK_BYTES / 4 + 3 }, (_, at) => at / 7);

describe('SpillFile', () => {
  it('gives tensors back as they were put, while it grows', () => {
    const file = spill();
    const first = file.put(Tensor.float32(LONG, [LONG.length]));
    const second = file.put(Tensor.float32(Float32Array.of(1, 2, 3, 4), [2, 2]));
    expect(first.float32Array()).toEqual(LONG);
    expect([...second.float32Array()]).toEqual([1, 2, 3, 4]);
    expect(second.dims).toEqual([2, 2]);
    const pieces = [...first.data.chunks()].map((piece) => piece.byteLength);
    expect(pieces).toEqual([CHUNK_BYTES, 12]);
    expect(new Float32Array(new Uint8Array(second.data.range?.(4, 12) ?? []).buffer)).toEqual(Float32Array.of(2, 3));
    const target = new Uint8Array(4);
    second.data.readInto?.(target, 12);
    expect(new Float32Array(target.buffer)).toEqual(Float32Array.of(4));
  });

  it('refuses a file that exists, and one in a folder that does not, as a folder that cannot be written to', () => {
    const path = join(folder(), 'weights.bin');
    writeFileSync(path, 'x');
    const coded = expect.objectContaining({ code: 'SO6001', message: expect.stringContaining('temporary folder') });
    expect(() => new SpillFile(path)).toThrow(coded);
    expect(() => new SpillFile(join(folder(), 'none', 'weights.bin'))).toThrow(coded);
  });

  it('reads and writes nothing once closed', () => {
    const file = spill();
    const tensor = file.put(Tensor.float32(Float32Array.of(1), [1]));
    file.close();
    file.close();
    expect(() => tensor.float32Array()).toThrow(expect.objectContaining({ code: 'SO2002' }));
    expect(() => file.put(Tensor.float32(Float32Array.of(1), [1]))).toThrow(
      expect.objectContaining({ code: 'SO9001' }),
    );
  });
});
