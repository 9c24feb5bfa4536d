/** Worlds in which something that programs take for granted is missing: documented exit codes, always with words. */
import { join } from 'node:path';
import { Suite } from '../conformance/suite.js';
import { writeChain } from '../helpers/small-models.js';
import { eachAtOnce, type Hold } from './context.js';
import { complaints, type Expected, settle } from './judge.js';
import { makePlace, removePlace, shell } from './run.js';

const AT_ONCE = 4;

interface World {
  readonly name: string;
  /** A line of bash with `$DO` for each command that is tried; `$PROGRAM` is what it starts. */
  readonly line: string;
  readonly expected?: Expected;
}

/** What each world is tried with. */
const COMMANDS: readonly string[] = [
  '--help',
  '--version --json',
  'inspect model.onnx --json',
  'optimize model.onnx -o out.onnx --force',
  'quantize model.onnx -o out.onnx --force --json --report r.html',
  'compare model.onnx model.onnx',
];

const WORLDS: readonly World[] = [
  ...[32, 40, 64, 128].map((files) => ({ name: `${files} open files`, line: `ulimit -n ${files}; exec $DO` })),
  { name: 'a temporary folder that is missing', line: 'TMPDIR=/no/such/folder exec $DO' },
  { name: 'a temporary folder that is a file', line: 'TMPDIR=$PWD/model.onnx exec $DO' },
  { name: 'a temporary folder that takes no files', line: 'TMPDIR=/proc exec $DO' },
  { name: 'a temporary folder with a name of no bytes', line: 'TMPDIR= exec $DO' },
  { name: 'a temporary folder with an odd relative name', line: 'TMPDIR=. exec $DO' },
  { name: 'no stdin', line: 'exec $DO <&-', expected: { codes: [0] } },
  { name: 'no stdout', line: 'exec $DO >&-' },
  { name: 'no stderr', line: 'exec $DO 2>&-', expected: { mayBeSilent: true } },
  { name: 'no streams', line: 'exec $DO <&- >&- 2>&-', expected: { mayBeSilent: true } },
  { name: 'a full stdout', line: 'exec $DO > /dev/full' },
  { name: 'a full stderr', line: 'exec $DO 2> /dev/full', expected: { mayBeSilent: true } },
  { name: 'a reader who leaves at once', line: 'set -o pipefail; $DO | true' },
  { name: 'a reader who leaves after ten bytes', line: 'set -o pipefail; $DO | head -c 10' },
  {
    name: 'a reader of stderr who leaves',
    line: 'set -o pipefail; { $DO 2>&1 >&3 | true; } 3>&1',
    expected: { mayBeSilent: true },
  },
  { name: 'a slow reader', line: 'set -o pipefail; $DO | { sleep 2; cat; }', expected: { codes: [0] } },
  { name: 'a working folder that is gone', line: 'mkdir gone; cp model.onnx gone; cd gone; rm -r ../gone; exec $DO' },
  { name: 'no HOME', line: 'unset HOME; exec $DO', expected: { codes: [0] } },
  { name: 'no PATH', line: 'PATH= exec $DO', expected: { codes: [0] } },
  { name: 'an empty environment', line: 'exec env -i $DO', expected: { codes: [0], ignoresTemporaries: true } },
  {
    name: 'a locale and terminal that nobody knows',
    line: 'LC_ALL=xx_YY.zz TERM=nosuch exec $DO',
    expected: { codes: [0] },
  },
  { name: 'files that may not grow', line: 'ulimit -f 1; exec $DO' },
];

interface Fault {
  readonly name: string;
  readonly line: string;
  readonly codes: readonly number[];
}

/** Outputs and inputs that the file system refuses in odd ways. */
const FAULTS: readonly Fault[] = [
  {
    name: 'an output that links to itself',
    line: 'ln -s out.onnx out.onnx; $PROGRAM quantize model.onnx -o out.onnx --force',
    codes: [1],
  },
  {
    name: 'an output in a ring of links',
    line: 'ln -s b a; ln -s a b; $PROGRAM quantize model.onnx -o a/out.onnx',
    codes: [1],
  },
  {
    name: 'a report that links to itself',
    line: 'ln -s r.html r.html; $PROGRAM compare model.onnx model.onnx --report r.html',
    codes: [1, 2],
  },
  { name: 'an input that links to itself', line: 'ln -s in.onnx in.onnx; $PROGRAM inspect in.onnx', codes: [3] },
  {
    name: 'data that links to itself',
    line: 'ln -s d.npz d.npz; $PROGRAM quantize model.onnx -o out.onnx --data d.npz',
    codes: [3],
  },
  {
    name: 'an output with too long a name',
    line: `$PROGRAM quantize model.onnx -o ${'n'.repeat(300)}.onnx`,
    codes: [1],
  },
  {
    name: 'an output with as long a name as may be',
    line: `$PROGRAM quantize model.onnx -o ${'n'.repeat(250)}.onnx`,
    codes: [0, 1],
  },
  {
    name: 'an output behind too long a path',
    line: `$PROGRAM quantize model.onnx -o ${'n/'.repeat(3000)}o.onnx`,
    codes: [1],
  },
  { name: 'an input with too long a name', line: `$PROGRAM inspect ${'n'.repeat(300)}.onnx`, codes: [3] },
  { name: 'an input that is a folder', line: 'mkdir in.onnx; $PROGRAM inspect in.onnx', codes: [3] },
  { name: 'an input that is a pipe', line: 'mkfifo in.onnx; $PROGRAM inspect in.onnx', codes: [3] },
  { name: 'an input that is a device', line: '$PROGRAM inspect /dev/zero', codes: [3] },
  { name: 'data that is a device', line: '$PROGRAM quantize model.onnx -o out.onnx --data /dev/zero', codes: [3] },
  {
    name: 'a recipe that is a pipe',
    line: 'mkfifo r.json; $PROGRAM optimize model.onnx -o out.onnx --recipe r.json',
    codes: [1, 2, 3],
  },
  {
    name: 'an output that is a pipe',
    line: 'mkfifo out.onnx; $PROGRAM quantize model.onnx -o out.onnx --force',
    codes: [1],
  },
  { name: 'an output that is a device', line: '$PROGRAM quantize model.onnx -o /dev/null --force', codes: [1] },
  {
    name: 'an output that is the report',
    line: '$PROGRAM quantize model.onnx -o r.json --report ./r.json',
    codes: [2],
  },
];

export async function environmentPart(hold: Hold): Promise<Suite[]> {
  const suite = new Suite('worlds that lack something');
  const tries = WORLDS.flatMap((world) => COMMANDS.map((command) => ({ world, command })));
  await eachAtOnce(tries, AT_ONCE, ({ world, command }) => tryWorld(hold, suite, world, command));
  await eachAtOnce(FAULTS, AT_ONCE, async ({ name, line, codes }) => {
    const place = makePlace(hold);
    await writeChain(join(place.folder, 'model.onnx'), 2, 32);
    const outcome = await shell(hold, place, line, { limitMs: 30_000 });
    settle(suite, `${name}: ${outcome.what.slice(0, 120)}`, outcome, complaints(outcome, { codes }));
    removePlace(place);
  });
  suite.close();
  return [suite];
}

async function tryWorld(
  hold: Hold,
  suite: Suite,
  { name, line, expected = {} }: World,
  command: string,
): Promise<void> {
  const place = makePlace(hold);
  await writeChain(join(place.folder, 'model.onnx'), 2, 32);
  const outcome = await shell(hold, place, line.replace('$DO', `$PROGRAM ${command}`), { limitMs: 30_000 });
  settle(suite, `${name}: ${outcome.what}`, outcome, complaints(outcome, expected));
  removePlace(place);
}
