/** Models and short runs for the tests of `bench`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { modelBytes } from '../../../src/ir/write-model.js';
import type { BenchReport, ConfigurationReport } from '../../../src/report/bench-types.js';
import type { BenchOptions } from '../../../src/workflows/options.js';
import { ROOT } from '../program.js';

export const DIGITS = join(ROOT, 'fixtures', 'digits-mlp', 'model.onnx');
export const DIGITS_DATA = join(ROOT, 'fixtures', 'digits-mlp', 'calib.npz');

/** As little as gives a report: figures of so short a run mean nothing, and no test asks for them. */
export const QUICK = { durationMs: 60, processes: 1 } as const satisfies BenchOptions;

/** Models by their text, each in a file of one folder that goes when the tests have ended. */
export function modelWriter(): { readonly folder: string; write(name: string, text: string): Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-bench-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    async write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, await modelBytes(parseModel(`<ir_version: 10, opset_import: ["" : 21]> ${text}`)));
      return path;
    },
  };
}

/** `count` operators one after the other, on any rows of four. */
export function chainText(count: number, opType = 'Erf'): string {
  const nodes = Array.from({ length: count }, (_, i) => {
    const [from, to] = [i === 0 ? 'x' : `h${i}`, i === count - 1 ? 'y' : `h${i + 1}`];
    return `${to} = ${opType} (${from})`;
  });
  return `g (float[N, 4] x) => (float[N, 4] y) { ${nodes.join(' ')} }`;
}

/** A model that runs for longer than anybody waits. */
export const ENDLESS = `g (float[4] x) => (float[4] y) {
  trips = Constant <value = int64 {9000000000000000000}> ()
  go = Constant <value = bool {1}> ()
  y = Loop <body = body (int64 i, bool c, float[4] state) => (bool d, float[4] next) {
    d = Identity (c)
    next = Erf (state)
  }> (trips, go, x)
}`;

export function only(report: BenchReport): ConfigurationReport {
  const [first, second] = report.configurations;
  if (!first || second) throw new Error(`${report.configurations.length} configurations`);
  return first;
}
