import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageFinding } from '../../../src/report/package-check-types.js';
import { checkMar, isMarPath } from '../../../src/workflows/package/check-mar.js';
import { marCases, SOUND } from '../../helpers/mar-cases.js';
import { zip } from '../../helpers/zip.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-mar-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function worst(findings: readonly PackageFinding[]): string {
  for (const severity of ['error', 'warning', 'note'] as const) {
    if (findings.some((finding) => finding.severity === severity)) return severity;
  }
  return 'clean';
}

describe('checkMar', () => {
  for (const { name, ending, bytes, server, finding, rule } of marCases()) {
    it(`agrees with TorchServe on "${name}", which is ${server}`, async () => {
      const findings = await checkMar(write(`${name}${ending}`, bytes));
      expect({ worst: worst(findings), findings }).toEqual({ worst: finding, findings });
      if (rule !== undefined) expect(findings.map((each) => each.rule)).toContain(rule);
      if (server === 'refused') expect(worst(findings)).toBe('error');
      for (const each of findings) {
        for (const text of [each.what, each.why, each.fix]) expect(text).toMatch(/\S/);
      }
    });
  }

  it('checks a folder as the archive that it could be, and does not follow its links', async () => {
    const root = join(folder, 'plain');
    for (const [path, text] of Object.entries(SOUND)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    expect(isMarPath(root)).toBe(true);
    expect(await checkMar(root)).toEqual([]);
    symlinkSync('/etc/hostname', join(root, 'linked.txt'));
    expect((await checkMar(root)).map(({ rule, path }) => [rule, path])).toEqual([['mar/link', 'linked.txt']]);
  });

  it('tells the line of a fault in the settings and in the manifest', async () => {
    const manifest = JSON.stringify(
      {
        runtime: 'python',
        model: {
          modelName: 'm',
          handler: 'h.py',
          configFile: 'c.yaml',
          modelVersion: '1',
          nothing: 1,
          serializedFile: 'model.txt',
        },
      },
      undefined,
      1,
    );
    const files = { ...SOUND, 'MAR-INF/MANIFEST.json': manifest, 'c.yaml': 'minWorkers: 1\n\nbatchSize: many\n' };
    const path = write(
      'lines.mar',
      zip(Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text) }))),
    );
    const places = (await checkMar(path)).map(({ rule, line, column }) => ({ rule, line, column }));
    expect(places).toContainEqual({ rule: 'mar/config-value', line: 3, column: 1 });
    expect(places).toContainEqual({ rule: 'mar/manifest-key', line: 8, column: 3 });
  });

  it('does not inflate what would fill the disk', async () => {
    const bomb = Buffer.alloc(100 * 1024 * 1024);
    const path = write('bomb.mar', zip([{ name: 'zeros.bin', data: bomb, deflate: true }]));
    const findings = await checkMar(path);
    expect(findings.map(({ rule }) => rule)).toContain('mar/unreadable');
    expect(findings[0]?.what).toMatch(/bomb/);
  });

  it('stops at too many entries', async () => {
    const members = Array.from({ length: 10_001 }, (_, index) => ({ name: `f${index}`, data: Buffer.alloc(0) }));
    const findings = await checkMar(write('many.mar', zip(members)));
    expect(findings.find(({ rule }) => rule === 'mar/unreadable')?.what).toMatch(/more than 10000 entries/);
  });

  it('refuses a path that is not there, and one that is neither a file nor a folder', async () => {
    await expect(checkMar(join(folder, 'absent.mar'))).rejects.toMatchObject({ code: 'SO2001' });
    await expect(checkMar('/dev/null')).rejects.toMatchObject({ code: 'SO2002' });
  });
});
