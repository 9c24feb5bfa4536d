/** A result that misses a budget has a report to show, and its exit code is that of the budget. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/command.js';
import { runModelCommand } from '../../src/cli/model-command.js';
import { keptOrRefused } from '../../src/cli/refused-result.js';
import { ServeOptError } from '../../src/errors.js';
import type { QuantizeReport } from '../../src/report/types.js';
import { quantizeReport } from '../report/model-reports.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-refused-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = { stdout: { isTTY: false } } as unknown as CommandContext;
const report = quantizeReport('net.onnx');
const missed = new ServeOptError('SO7001', 'The result is not written: it misses the budget drop ≤ 1%');

/** Runs a command whose result is refused; what else happens meanwhile is up to the test. */
function refusedRun(path: string, meanwhile: () => void) {
  return runModelCommand<QuantizeReport>(
    context,
    { report: [path] },
    {
      reads: [join(folder, 'model.onnx')],
      html: async () => 'page',
      work: async ({ onRefused }) => {
        meanwhile();
        onRefused(report);
        throw missed;
      },
      answer: (made, outputPath) => ({ report: made, text: () => `at ${outputPath}` }),
    },
  );
}

it('is shown and written in its reports, but nowhere else', async () => {
  const path = join(folder, 'r.json');
  const result = await refusedRun(path, () => undefined);
  expect(result).toMatchObject({ report, failure: missed, exitCode: 4 });
  expect(result.text()).toBe('at undefined');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ command: 'quantize', verdict: report.verdict });
});

it('keeps its exit code where its report could not be written', async () => {
  const gone = join(folder, 'gone');
  mkdirSync(gone);
  const result = await refusedRun(join(gone, 'r.json'), () => rmSync(gone, { recursive: true }));
  expect(result).toMatchObject({ failure: { code: 'SO6001' }, exitCode: 4 });
  expect(existsSync(gone)).toBe(false);
});

it('is told from other failures', async () => {
  const other = new ServeOptError('SO5001', 'refused');
  const failing = (error: Error, tell: boolean) =>
    keptOrRefused<QuantizeReport>(async (onRefused) => {
      if (tell) onRefused(report);
      throw error;
    });
  await expect(failing(other, true)).rejects.toBe(other);
  await expect(failing(missed, false)).rejects.toBe(missed);
  await expect(failing(missed, true)).resolves.toEqual({ report, refused: missed });
  await expect(keptOrRefused(async () => report)).resolves.toEqual({ report });
});
