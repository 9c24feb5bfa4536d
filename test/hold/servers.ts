/** `bench --url` against servers that do their worst: ends in time, in bounded memory, and says what was wrong. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Suite } from '../conformance/suite.js';
import { BODIES, HOSTILE_SERVERS, SERVER_ERROR_CODES } from '../helpers/hostile-servers/all.js';
import type { HostileServerKind } from '../helpers/hostile-servers/kind.js';
import { eachAtOnce, type Hold } from './context.js';
import { complaints, documentOf, settle } from './judge.js';
import { makePlace, removePlace, run } from './run.js';

/** The servers share the process of the suite. */
const AT_ONCE = 3;
const LIMIT_MS = 20_000;
const MIB = 1024 * 1024;
const LIMIT_BYTES = 512 * MIB;
/** Of the program: 1 s a request and 2 s for all of them; connecting and cleaning up come on top. */
const LIMITS = ['--timeout', '1s', '--max-time', '2s', '--duration', '500ms'];

export async function serversPart(hold: Hold): Promise<Suite[]> {
  const suite = new Suite('servers that do their worst');
  await eachAtOnce(HOSTILE_SERVERS, AT_ONCE, (kind) => tryServer(hold, suite, kind));
  suite.close();
  return [suite];
}

async function tryServer(hold: Hold, suite: Suite, kind: HostileServerKind): Promise<void> {
  const place = makePlace(hold);
  const bodies = join(place.folder, 'bodies.jsonl');
  writeFileSync(bodies, '{"x":[[1,2]]}\n');
  const args = (kind.args ?? []).map((word) => (word === BODIES ? bodies : word));
  const server = await kind.start();
  try {
    const words = ['bench', '--url', server.url, ...args, ...LIMITS, '--json'];
    const outcome = await run(hold, place, words, { limitMs: LIMIT_MS, stopAtBytes: 2 * LIMIT_BYTES });
    const wrong = complaints(outcome, { codes: kind.exitCodes ?? [1] });
    if (outcome.stopped !== 'memory' && outcome.peakBytes > LIMIT_BYTES)
      wrong.push(`takes ${Math.round(outcome.peakBytes / MIB)} MiB`);
    wrong.push(...wrongDocument(kind, outcome.stdout));
    if (kind.secret !== undefined && (outcome.stdout + outcome.stderr).includes(kind.secret))
      wrong.push('prints what the server said back of a secret');
    settle(suite, kind.name, outcome, wrong);
  } finally {
    await server.close();
    removePlace(place);
  }
}

/** On a busy machine the clock ends any of them: the server was not reached in time, or nothing was measured in time. */
const CLOCK_CODES: readonly string[] = ['SO5101', 'SO5105'];

/** Where it fails, the code of the error is one of those that docs give to misbehaving servers. */
function wrongDocument({ errorCodes = SERVER_ERROR_CODES }: HostileServerKind, stdout: string): string[] {
  const { document, wrong } = documentOf(stdout);
  if (wrong !== undefined) return [wrong];
  const code = (document as { readonly error?: { readonly code?: string } }).error?.code;
  return code === undefined || [...errorCodes, ...CLOCK_CODES].includes(code) ? [] : [`has the error code ${code}`];
}
