import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportJson } from '../../../src/report/json.js';
import { readEarlierReport } from '../../../src/workflows/bench/baseline-report.js';
import { PLAIN } from '../../report/bench-reports.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(content: string): string {
  const path = join(mkdtempSync(join(folder, 'in-')), 'base.json');
  writeFileSync(path, content);
  return path;
}

describe('readEarlierReport', () => {
  it('reads a report alone and inside the document of --json', () => {
    const alone = readEarlierReport(written(reportJson(PLAIN)));
    const document = { schemaVersion: 1, command: 'bench', ok: true, result: PLAIN };
    const wrapped = readEarlierReport(written(reportJson(document)));
    expect(alone).toEqual(wrapped);
    expect(alone).toMatchObject({ name: 'base.json', cpuModel: 'Example CPU @ 2.00GHz', availableParallelism: 2 });
    expect(alone.configurations[0]?.processes).toHaveLength(5);
  });

  it('reads a gate that was broken: what it measured is as good', () => {
    const document = { schemaVersion: 1, command: 'bench', ok: false, result: PLAIN };
    expect(readEarlierReport(written(reportJson(document))).configurations).toHaveLength(1);
  });

  const changed = (change: object): string => JSON.stringify({ ...PLAIN, ...change });
  it.each([
    ['nothing', '', 'it is not JSON'],
    ['text', 'hello', 'it is not JSON'],
    ['a list', '[1]', 'not a report of `serve-opt bench`'],
    ['null', 'null', 'not a report'],
    ['another command', changed({ command: 'optimize' }), 'not a report'],
    ['another schema', changed({ schemaVersion: 99 }), 'its schema is version 99; this version reads 2'],
    ['no environment', changed({ environment: null }), 'parts of it are missing'],
    ['an error', '{"ok":false,"error":{}}', 'that run failed'],
    ['a prototype', '{"__proto__":{"command":"bench"}}', 'not a report'],
    [
      'a number too few',
      changed({ environment: { ...PLAIN.environment, availableParallelism: null } }),
      'instead of a number',
    ],
    [
      'a negative latency',
      changed({
        configurations: [{ ...PLAIN.configurations[0], latency: { processes: [{ runs: 1, p50Ms: -1 }] } }],
      }),
      'it has -1 instead of a number',
    ],
  ])('refuses %s in words', (_what, content, words) => {
    expect(() => readEarlierReport(written(content))).toThrow(
      expect.objectContaining({ code: 'SO4007', why: expect.stringContaining(words) }),
    );
  });

  it('says so when there is no file', () => {
    expect(() => readEarlierReport(join(folder, 'none.json'))).toThrow(expect.objectContaining({ code: 'SO2001' }));
  });
});
