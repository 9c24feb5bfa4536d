/** Disks that are full after any share of an output: exit code 1, SO6001, and nothing that looks whole. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Suite } from '../conformance/suite.js';
import { writeChain } from '../helpers/small-models.js';
import { eachAtOnce, type Hold } from './context.js';
import { complaints, settle } from './judge.js';
import { listing, makePlace, type Outcome, type Place, removePlace, shell } from './run.js';
import { makeSmallDisk, wholePages } from './small-disk.js';

interface Writing {
  readonly name: string;
  /** A line of bash; `$DISK` is the folder that fills up. */
  readonly line: string;
  /** The file there whose size is cut into tenths. */
  readonly file: string;
  /** Whether the shell made the file, so that it stays, torn; its reader is told by the exit code alone. */
  readonly byShell: boolean;
  /** Whether files that the command wrote elsewhere before may stay. */
  readonly alsoWrites?: readonly string[];
}

const WRITINGS: readonly Writing[] = [
  {
    name: 'a model on stdout',
    line: '$PROGRAM quantize model.onnx -o - > $DISK/out.onnx',
    file: 'out.onnx',
    byShell: true,
  },
  {
    name: 'a model on stdout, not verified',
    line: '$PROGRAM quantize model.onnx --no-verify -o - > $DISK/out.onnx',
    file: 'out.onnx',
    byShell: true,
  },
  {
    name: 'a document on stdout',
    line: '$PROGRAM inspect nodes.onnx --json > $DISK/out.json',
    file: 'out.json',
    byShell: true,
  },
  { name: 'a model', line: '$PROGRAM quantize model.onnx -o $DISK/out.onnx', file: 'out.onnx', byShell: false },
  {
    name: 'an optimized model',
    line: '$PROGRAM optimize model.onnx --no-speed-gate -o $DISK/out.onnx --json',
    file: 'out.onnx',
    byShell: false,
  },
  {
    name: 'a page',
    line: '$PROGRAM quantize model.onnx -o out.onnx --report $DISK/r.html',
    file: 'r.html',
    byShell: false,
    alsoWrites: ['out.onnx', 'out.report.json'],
  },
  {
    name: 'a page of a comparison',
    line: '$PROGRAM compare model.onnx model.onnx --report $DISK/r.html --json',
    file: 'r.html',
    byShell: false,
  },
];

const AT_ONCE = 3;
const INPUTS = ['model.onnx', 'nodes.onnx'];

export async function fullPart(hold: Hold): Promise<Suite[]> {
  const suite = new Suite('disks that fill up');
  const models = makePlace(hold);
  await writeChain(join(models.folder, 'model.onnx'), 3, 300);
  await writeChain(join(models.folder, 'nodes.onnx'), 400, 4);
  await eachAtOnce(WRITINGS, AT_ONCE, (writing) => fill(hold, suite, models, writing));
  suite.close();
  return [suite];
}

function placeWith(hold: Hold, models: Place): Place {
  const place = makePlace(hold);
  for (const name of INPUTS) writeFileSync(join(place.folder, name), readFileSync(join(models.folder, name)));
  return place;
}

async function fill(hold: Hold, suite: Suite, models: Place, writing: Writing): Promise<void> {
  const sizeBytes = await writeWhole(hold, suite, models, writing);
  if (sizeBytes === 0) return;
  for (let tenth = 1; tenth < 10; tenth++) {
    const roomBytes = wholePages((sizeBytes * tenth) / 10);
    // An output of a few pages has fewer steps than ten.
    if (roomBytes >= sizeBytes) continue;
    const disk = makeSmallDisk(hold, roomBytes);
    if (typeof disk === 'string') {
      suite.skip(disk);
      return;
    }
    const place = placeWith(hold, models);
    try {
      const outcome = await shell(hold, place, writing.line.replaceAll('$DISK', disk.folder));
      const made = listing(disk.folder);
      const wrong = [...complaints(outcome, { codes: [1] }), ...wrongWords(outcome, writing)];
      if (!writing.byShell && made.length > 0) wrong.push(`leaves ${made.join(' ')}`);
      const others = listing(place.folder).filter((name) => ![...INPUTS, ...(writing.alsoWrites ?? [])].includes(name));
      if (others.length > 0) wrong.push(`leaves ${others.join(' ')}`);
      settle(suite, `${writing.name}, room for ${tenth} tenths: ${outcome.what}`, outcome, wrong);
    } finally {
      disk.remove();
      removePlace(place);
    }
  }
}

/** Size of the output with room enough, in bytes; 0 when it could not be made. */
async function writeWhole(hold: Hold, suite: Suite, models: Place, writing: Writing): Promise<number> {
  const place = placeWith(hold, models);
  const outcome = await shell(hold, place, writing.line.replaceAll('$DISK', place.base));
  const path = join(place.base, writing.file);
  const sizeBytes = existsSync(path) ? statSync(path).size : 0;
  const wrong = complaints(outcome, { codes: [0] });
  if (sizeBytes === 0) wrong.push(`makes no ${writing.file}`);
  settle(suite, `${writing.name}, room enough: ${outcome.what}`, outcome, wrong);
  removePlace(place);
  return wrong.length > 0 ? 0 : sizeBytes;
}

/** SO6002 says the same where the room was known to be too small before writing; stdout has no such check. */
function wrongWords({ stdout, stderr }: Outcome, { byShell }: Writing): string[] {
  return (byShell ? /SO6001/ : /SO600[12]/).test(stdout + stderr) ? [] : ['does not say SO6001'];
}
