/** Small models that ask for a machine: they end in time, in bounded memory, and with an exit code that docs know. */
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { modelFiles, print, Suite } from '../conformance/suite.js';
import { SIZE_BOMBS } from '../helpers/bombs/size-bombs.js';
import { LARGE_GRAPHS } from '../helpers/large-graphs/all.js';
import { BOMBS, type Bomb } from './bomb-models.js';
import type { Hold } from './context.js';
import { complaints, settle } from './judge.js';
import { hasProc } from './processes.js';
import { listing, makePlace, removePlace, run } from './run.js';

const SIZES: readonly Bomb[] = SIZE_BOMBS.map(({ name, text }) => ({
  name,
  write: async (path) => writeFileSync(path, await modelBytes(parseModel(text))),
}));
const GRAPHS: readonly Bomb[] = LARGE_GRAPHS.map(({ name, size, make }) => ({
  name: `${name} (${size})`,
  write: async (path) => writeFileSync(path, await modelBytes(make(size))),
}));

const MIB = 1024 * 1024;
/** Of all processes together. */
const LIMIT_BYTES = 1.5e9;
const LIMIT_MS = 60_000;

/** How each bomb is tried; `out.onnx` must not be there unless the exit code is 0. */
const COMMANDS: readonly (readonly string[])[] = [
  ['inspect', 'bomb.onnx'],
  ['optimize', 'bomb.onnx', '--level', 'max', '-o', 'out.onnx'],
];

export async function bombsPart(hold: Hold): Promise<Suite[]> {
  const suite = new Suite('bombs');
  if (!hasProc()) print('memory is not measured: this system has no /proc');
  const all = [...BOMBS, ...SIZES, ...GRAPHS, ...given(hold)];
  for (const bomb of all.filter(({ name }) => name.includes(hold.only))) {
    const place = makePlace(hold);
    await bomb.write(join(place.folder, 'bomb.onnx'));
    for (const words of COMMANDS) {
      const outcome = await run(hold, place, words, { limitMs: LIMIT_MS, stopAtBytes: 1.5 * LIMIT_BYTES });
      const wrong = complaints(outcome);
      if (outcome.stopped !== 'memory' && outcome.peakBytes > LIMIT_BYTES)
        wrong.push(`takes ${Math.round(outcome.peakBytes / MIB)} MiB`);
      const made = listing(place.folder).filter((name) => name !== 'bomb.onnx');
      if (outcome.code !== 0 && made.length > 0) wrong.push(`leaves ${made.join(' ')}`);
      if (outcome.code === 0 && words.includes('-o') && !made.includes('out.onnx'))
        wrong.push('exit code 0 without an output');
      settle(suite, `${bomb.name}: ${outcome.what} (${(outcome.wallMs / 1000).toFixed(1)} s)`, outcome, wrong);
    }
    removePlace(place);
  }
  suite.close();
  return [suite];
}

/** Models of the folders given that are called `bombs`, or hold a folder of this name. */
function given(hold: Hold): Bomb[] {
  return hold.folders
    .flatMap((folder) => [basename(folder) === 'bombs' ? folder : join(folder, 'bombs')])
    .filter(existsSync)
    .flatMap(modelFiles)
    .map((path) => ({
      name: `${basename(dirname(path))}/${basename(path)}`,
      write: (target) => copyFileSync(path, target),
    }));
}
