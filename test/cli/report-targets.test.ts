import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkReportTargets, knownFiles, reportTargets, writeReports } from '../../src/cli/report-targets.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = async (report: object): Promise<string> => `<p>${Object.keys(report).join()}</p>`;

describe('reports', () => {
  it('are written in the format that their ending tells', async () => {
    const paths = [join(folder, 'a.json'), join(folder, 'a.html')];
    const targets = reportTargets({ report: paths }, page);
    expect(() => checkReportTargets(targets, knownFiles([], false))).not.toThrow();
    expect(await writeReports(targets, { command: 'x' })).toBeUndefined();
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['{\n  "command": "x"\n}\n', '<p>command</p>']);
  });

  it('that cannot be written are told, and the others written', async () => {
    const [gone, good] = [join(folder, 'gone', 'b.json'), join(folder, 'b.json')];
    const failure = await writeReports(reportTargets({ report: [gone, good] }, page), { command: 'x' });
    expect(failure).toMatchObject({ code: 'SO6001' });
    expect(existsSync(good)).toBe(true);
  });

  it('are refused before any work where they could not be written', () => {
    mkdirSync(join(folder, 'taken.json'));
    const check = (...paths: string[]): void =>
      checkReportTargets(reportTargets({ report: paths }, page), knownFiles([], false));
    expect(() => check(join(folder, 'taken.json'))).toThrow(expect.objectContaining({ code: 'SO6001' }));
    expect(() => check(join(folder, 'none', 'c.json'))).toThrow(expect.objectContaining({ code: 'SO6001' }));
    expect(() => check('c.pdf')).toThrow(expect.objectContaining({ code: 'SO1006' }));
  });
});
