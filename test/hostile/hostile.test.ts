import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes, readModel } from '../../src/ir/read-model.js';
import { assertValid } from '../../src/ir/verify.js';
import { writeModel } from '../../src/ir/write-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { scaled } from '../helpers/limits.js';
import { concat, message, soundModel } from '../helpers/wire.js';
import type { HostileKind } from './kind.js';
import { KINDS } from './kinds/all.js';
import { RARE } from './kinds/rare.js';

/** Of processor time: what the clock says depends on what else the machine does. */
const LIMIT_MS = 5000;
const LIMIT_BYTES = 512 * 1024 * 1024;

/** Reads a model as every command begins: bytes, structure, types. */
async function open(path: string): Promise<Model> {
  const model = await readModel(path);
  try {
    assertValid(model);
    inferTypes(model);
    return model;
  } catch (error) {
    model.source?.close();
    throw error;
  }
}

/** The error of a read that must fail as ours, with something that says where. */
function expectRefusal(kind: HostileKind, error: unknown): void {
  if (!(error instanceof ServeOptError)) throw error;
  expect(error.exitCode).toBe(3);
  expect(kind.codes).toContain(error.code);
  const { byteOffset, node, value, graph, file } = error.location;
  expect(byteOffset ?? node ?? value ?? graph ?? file).toBeDefined();
  expect(error.message.length).toBeLessThan(2000);
  expect(error.message).not.toMatch(/ at (async )?\w+ \(/);
  if (kind.secret) expect(`${error.message} ${error.why} ${error.hint}`).not.toContain(kind.secret);
}

/** Peak memory of the process, which never goes down: what a case adds is what it took beyond all before. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

describe('hostile and rare inputs', () => {
  let root = '';
  let folder = '';
  let count = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'serve-opt-hostile-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function emptyFolder(): string {
    folder = join(root, String(count++));
    mkdirSync(folder);
    return folder;
  }

  it('have names of their own', () => {
    const names = KINDS.map((kind) => `${kind.group}: ${kind.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  for (const kind of KINDS) {
    it(`${kind.group}: ${kind.name} ${kind.expect === 'error' ? 'is refused with a clear error' : 'loads'}`, async () => {
      const path = kind.make(emptyFolder());
      const before = readdirSync(folder);
      const memory = peakBytes();
      const start = process.cpuUsage();
      let model: Model | undefined;
      let failure: unknown;
      try {
        model = await open(path);
      } catch (error) {
        failure = error;
      }
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1000).toBeLessThan(scaled(LIMIT_MS));
      expect(peakBytes() - memory).toBeLessThan(LIMIT_BYTES);
      expect(readdirSync(folder)).toEqual(before);
      if (kind.expect === 'error') {
        model?.source?.close();
        expect(failure, 'the model was accepted').toBeDefined();
        expectRefusal(kind, failure);
      } else {
        if (failure) throw failure;
        if (model) kind.check?.(model, folder);
        model?.source?.close();
      }
    });
  }

  for (const kind of RARE) {
    it(`${kind.group}: ${kind.name} is written back byte for byte`, async () => {
      const path = kind.make(emptyFolder());
      const model = await readModel(path);
      const copy = join(folder, 'copy.onnx');
      await writeModel(model, copy);
      model.source?.close();
      expect(Buffer.compare(readFileSync(copy), readFileSync(path))).toBe(0);
    });
  }
});

describe('damage at any place', () => {
  const rich = concat(
    ...RARE.filter((kind) => /local function|reverse/.test(kind.name)).map(bytesOfKind),
    message(14, message(1, 'k'), message(2, 'v')),
  );
  const seeds: readonly (readonly [string, Uint8Array])[] = [
    ['the smallest model', soundModel()],
    ...RARE.map((kind): [string, Uint8Array] => [kind.name, bytesOfKind(kind)]).filter(
      ([, bytes]) => bytes.length < 2000,
    ),
    ['two models in one file', rich],
  ];

  function bytesOfKind(kind: HostileKind): Uint8Array {
    const folder = mkdtempSync(join(tmpdir(), 'serve-opt-seed-'));
    try {
      return readFileSync(kind.make(folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Either loads or refuses as ours with exit code 3. */
  function survive(bytes: Uint8Array): void {
    try {
      const model = parseModelBytes(bytes);
      assertValid(model);
      inferTypes(model);
    } catch (error) {
      if (!(error instanceof ServeOptError)) throw error;
      expect(error.exitCode).toBe(3);
    }
  }

  it.each(seeds)('cut off after any byte: %s', (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) survive(bytes.slice(0, length));
  });

  it.each(seeds)('any bit flipped: %s', (_, bytes) => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = bytes.slice();
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      survive(broken);
    }
  });

  it.each(seeds)('any byte set to extremes, removed or doubled: %s', (_, bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const broken = bytes.slice();
        broken[at] = value;
        survive(broken);
      }
      survive(concat(bytes.slice(0, at), bytes.slice(at + 1)));
      survive(concat(bytes.slice(0, at), bytes.slice(at, at + 1), bytes.slice(at)));
    }
  });
});
