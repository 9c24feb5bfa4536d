/** Outputs that cannot be written, are the input, are taken, or go to nobody. */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { skipWhere } from '../helpers/skip-where.js';
import { writeChain } from '../helpers/small-models.js';
import { listing, makeParent, makePlace, type Outcome, type Place, ROOT, run, shell } from './program.js';

const QUANTIZE = ['quantize', 'model.onnx', '--no-verify'];

let parent = '';
let place: Place;
beforeAll(async () => {
  parent = makeParent();
  await writeChain(join(parent, 'chain.onnx'), 2, 512);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));
beforeEach(() => {
  place = makePlace(parent, join(parent, 'chain.onnx'));
});

/** Runs with an output that must be refused: the code, the exit code, and nothing left that was not there before. */
async function expectRefusal(output: string, code: string, exitCode: number, extra: string[] = []): Promise<Outcome> {
  const before = listing(place.folder);
  const outcome = await run(place, [...QUANTIZE, '-o', output, ...extra]);
  expect(outcome.stderr).toContain(code);
  expect(outcome.code).toBe(exitCode);
  expect(outcome.stdout).toBe('');
  expect(listing(place.folder)).toEqual(before);
  expect(listing(place.temporary)).toEqual([]);
  expect(readFileSync(place.model).equals(readFileSync(join(parent, 'chain.onnx')))).toBe(true);
  return outcome;
}

describe('an output that cannot be written', () => {
  it('in a folder that does not exist is refused before anything is done', async () => {
    const { stderr } = await expectRefusal('no/such/out.onnx', 'SO6001', 1);
    expect(stderr).toContain('its folder does not exist');
    expect(stderr).not.toContain('✓ quantize');
  });

  it('behind a file that stands for a folder is refused', async () => {
    writeFileSync(join(place.folder, 'file'), '');
    const { stderr } = await expectRefusal('file/out.onnx', 'SO6001', 1);
    expect(stderr).toContain('a part of the path is not a folder');
  });

  skipWhere(process.getuid?.() === 0, 'the administrator may write anywhere').it(
    'in a folder without permission is refused before anything is done',
    async () => {
      mkdirSync(join(place.folder, 'locked'));
      chmodSync(join(place.folder, 'locked'), 0o500);
      const { stderr } = await expectRefusal('locked/out.onnx', 'SO6001', 1);
      expect(stderr).toContain('permission denied');
    },
  );

  skipWhere(!existsSync('/proc/self'), 'this system has no /proc').it(
    'in a folder that takes no files is refused',
    async () => {
      await expectRefusal('/proc/out.onnx', 'SO6001', 1);
    },
  );

  it('that is a folder is refused, with --force too', async () => {
    mkdirSync(join(place.folder, 'out.onnx'));
    await expectRefusal('out.onnx', 'SO6001', 1);
    await expectRefusal('out.onnx', 'SO6001', 1, ['--force']);
  });

  skipWhere(!existsSync('/dev/full'), 'this system has no /dev/full').it(
    'that is a device is refused, with --force too',
    async () => {
      await expectRefusal('/dev/full', 'SO6001', 1);
      await expectRefusal('/dev/full', 'SO6001', 1, ['--force']);
    },
  );

  it('because files may not grow so large ends with the reason and leaves nothing, an old output untouched', async () => {
    writeFileSync(join(place.folder, 'old.onnx'), 'old');
    for (const words of ['-o out.onnx', '-o old.onnx --force']) {
      const { code, stderr } = await shell(place, `ulimit -f 200; exec $PROGRAM ${QUANTIZE.join(' ')} ${words}`);
      expect(stderr).toContain('SO6001');
      expect(code).toBe(1);
      expect(listing(place.folder)).toEqual(['model.onnx', 'old.onnx']);
    }
    expect(readFileSync(join(place.folder, 'old.onnx'), 'utf8')).toBe('old');
  });
});

describe('an output that is the input', () => {
  it.each(['model.onnx', './model.onnx', '../models/model.onnx', 'sub/../model.onnx'])(
    'as %s is refused',
    async (path) => {
      mkdirSync(join(place.folder, 'sub'));
      await expectRefusal(path, 'SO1004', 2, ['--force']);
    },
  );

  it('by its absolute path, a link or a hard link is refused', async () => {
    symlinkSync('model.onnx', join(place.folder, 'symlink.onnx'));
    linkSync(place.model, join(place.folder, 'hardlink.onnx'));
    symlinkSync('.', join(place.folder, 'loop'));
    for (const path of [place.model, 'symlink.onnx', 'hardlink.onnx', 'loop/model.onnx'])
      await expectRefusal(path, 'SO1004', 2, ['--force']);
  });

  it('is refused when the input is given by a link', async () => {
    symlinkSync('model.onnx', join(place.folder, 'link.onnx'));
    const { code, stderr } = await run(place, ['quantize', 'link.onnx', '-o', 'model.onnx', '--force', '--no-verify']);
    expect(stderr).toContain('SO1004');
    expect(code).toBe(2);
  });
});

describe('an output that exists', () => {
  it('is kept without --force and replaced with it', async () => {
    writeFileSync(join(place.folder, 'out.onnx'), 'old');
    await expectRefusal('out.onnx', 'SO1005', 2);
    expect(readFileSync(join(place.folder, 'out.onnx'), 'utf8')).toBe('old');
    const { code } = await run(place, [...QUANTIZE, '-o', 'out.onnx', '--force']);
    expect(code).toBe(0);
    expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
    expect(statSync(join(place.folder, 'out.onnx')).size).toBeGreaterThan(100_000);
  });

  it('is replaced where a link leads to it, and the link stays', async () => {
    mkdirSync(join(place.folder, 'real'));
    writeFileSync(join(place.folder, 'real', 'earlier.onnx'), 'old');
    symlinkSync('real/earlier.onnx', join(place.folder, 'out.onnx'));
    await expectRefusal('out.onnx', 'SO1005', 2);
    const { code } = await run(place, [...QUANTIZE, '-o', 'out.onnx', '--force']);
    expect(code).toBe(0);
    expect(lstatSync(join(place.folder, 'out.onnx')).isSymbolicLink()).toBe(true);
    expect(statSync(join(place.folder, 'real', 'earlier.onnx')).size).toBeGreaterThan(100_000);
    expect(listing(join(place.folder, 'real'))).toEqual(['earlier.onnx']);
  });

  it('lets one of several runs at once have it, and tells the others', async () => {
    const outcomes = await Promise.all([1, 2, 3].map(() => run(place, [...QUANTIZE, '-o', 'out.onnx'])));
    expect(outcomes.map(({ code }) => code).sort()).toEqual([0, 2, 2]);
    for (const { code, stderr } of outcomes) if (code !== 0) expect(stderr).toContain('SO1005');
    expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
  });
});

describe('a link that leads in a circle', () => {
  it.each(['-o', '--report'])('given to %s is told in words', async (flag) => {
    symlinkSync('loop.json', join(place.folder, 'loop.json'));
    const before = listing(place.folder);
    const { code, stderr } = await run(place, [...QUANTIZE, flag, 'loop.json', '--force']);
    expect(stderr).toContain('SO6001 Cannot write "loop.json": its symbolic links form a loop');
    expect(code).toBe(1);
    expect(listing(place.folder)).toEqual(before);
  });
});

describe('a report', () => {
  it.each(['out.json', './out.json', 'out.report.json', 'OUT.JSON', 'link.json'])(
    'as %s never takes the place of the model out.json or the report beside it',
    async (report) => {
      symlinkSync('out.json', join(place.folder, 'link.json'));
      const before = listing(place.folder);
      const { code, stderr } = await run(place, [...QUANTIZE, '-o', 'out.json', '--report', report]);
      expect(stderr).toContain('SO1002');
      expect(code).toBe(2);
      expect(listing(place.folder)).toEqual(before);
    },
  );
});

skipWhere(process.platform === 'win32', 'Windows has no ulimit').describe('too few descriptors', () => {
  it.each([32, 40, 64])('(%i) end every command in words', async (limit) => {
    for (const words of ['inspect model.onnx', QUANTIZE.join(' '), 'optimize model.onnx', 'doctor']) {
      const { code, stderr } = await shell(place, `ulimit -n ${limit}; exec $PROGRAM ${words} --force`);
      expect(stderr).not.toMatch(/\n {4}at |SO9001/);
      expect([0, 1, 2]).toContain(code);
      if (code === 1) expect(stderr).toContain('SO6101');
    }
  });
});

describe('the temporary folder', () => {
  it.each(['/no/such/folder', join(ROOT, 'package.json')])(
    'as %s is refused before work that needs one',
    async (temporary) => {
      const { code, stderr } = await shell(place, `TMPDIR=${temporary} exec $PROGRAM optimize model.onnx -o out.onnx`);
      expect(stderr).toContain('SO6001');
      expect(stderr).toContain('set TMPDIR');
      expect(stderr).not.toContain('✓ optimize');
      expect(code).toBe(1);
      expect(listing(place.folder)).toEqual(['model.onnx']);
    },
  );
});

describe('standard output', () => {
  it('carries the model, and nothing else, with -o -', async () => {
    const { code } = await shell(place, `$PROGRAM ${QUANTIZE.join(' ')} -o - > piped.onnx`);
    expect(code).toBe(0);
    expect((await run(place, [...QUANTIZE, '-o', 'out.onnx'])).code).toBe(0);
    expect(readFileSync(join(place.folder, 'piped.onnx')).equals(readFileSync(join(place.folder, 'out.onnx')))).toBe(
      true,
    );
    expect(listing(place.temporary)).toEqual([]);
  });

  it('may be closed by its reader, without a stack trace and without leftovers', async () => {
    const line = `{ $PROGRAM ${QUANTIZE.join(' ')} -o -; echo "code $?" >&2; } | head -c 10 | wc -c`;
    const { stdout, stderr } = await shell(place, line);
    expect(stdout.trim()).toBe('10');
    expect(stderr).toMatch(/code [01]\n$/);
    expect(stderr).not.toMatch(/\n {4}at |SO9001/);
    expect(listing(place.temporary)).toEqual([]);
    expect(listing(place.folder)).toEqual(['model.onnx']);
  });

  it('may be closed from the start', async () => {
    const { code, stderr } = await shell(place, `$PROGRAM ${QUANTIZE.join(' ')} -o out.onnx >&-`);
    expect(stderr).not.toContain('✗');
    expect(code).toBe(0);
    expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
  });

  skipWhere(!existsSync('/dev/full'), 'this system has no /dev/full').it(
    'on a full device fails the run with -o -, and says so',
    async () => {
      const { code, stderr } = await shell(place, `$PROGRAM ${QUANTIZE.join(' ')} -o - > /dev/full`);
      expect(stderr).toContain('SO6001');
      expect(code).toBe(1);
      expect(listing(place.temporary)).toEqual([]);
    },
  );
});

describe('the surroundings', () => {
  it('need no HOME and no other variables', async () => {
    const words = ['quantize', join(ROOT, 'fixtures', 'digits-mlp', 'model.onnx'), '-o', 'out.onnx'];
    const { code, stderr } = await run(place, words, {});
    expect(stderr).not.toContain('✗');
    expect(code).toBe(0);
  });

  it('may hold another run with the same output: one whole result stands at the end', async () => {
    expect((await run(place, [...QUANTIZE, '-o', 'alone.onnx'])).code).toBe(0);
    const words = [...QUANTIZE, '-o', 'out.onnx', '--force'];
    const outcomes = await Promise.all([run(place, words), run(place, words), run(place, words)]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    const files = ['alone.onnx', 'alone.report.json', 'model.onnx', 'out.onnx', 'out.report.json'];
    expect(listing(place.folder)).toEqual(files);
    const [alone, together] = ['alone.onnx', 'out.onnx'].map((name) => readFileSync(join(place.folder, name)));
    expect(together?.equals(alone ?? Buffer.alloc(0))).toBe(true);
  });

  it('may take the input away while it is read: the run fails, the output is whole or missing', async () => {
    const line = `$PROGRAM ${QUANTIZE.join(' ')} -o out.onnx & sleep 0.2; truncate -s 1000 model.onnx; wait $!`;
    const { code, stderr } = await shell(place, line);
    expect([0, 1, 3]).toContain(code);
    expect(stderr).not.toMatch(/\n {4}at |SO9001/);
    const files = listing(place.folder);
    expect(files).toEqual(code === 0 ? ['model.onnx', 'out.onnx', 'out.report.json'] : ['model.onnx']);
  });
});
