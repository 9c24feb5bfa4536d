import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a fake trtexec does; by default it builds an engine, measures it, exports all files and passes. */
export interface FakeTrtexec {
  /** Digits of the banner: `101600`. */
  readonly version?: string;
  /** A log to replay instead of one made up. */
  readonly log?: string;
  /** Lines of the performance summary. */
  readonly summary?: readonly string[];
  readonly device?: readonly string[];
  /** Further lines before inference. */
  readonly lines?: readonly string[];
  readonly delayMs?: number;
  readonly engine?: 'whole' | 'half' | 'none';
  readonly engineBytes?: number;
  readonly latencyMs?: number;
  readonly profile?: string;
  readonly layers?: string;
  readonly noExports?: boolean;
  readonly noBanner?: boolean;
  readonly noNewline?: boolean;
  readonly verdict?: 'PASSED' | 'FAILED' | 'none';
  readonly exitCode?: number;
  /** Path that gets the number of a process which it starts and leaves running. */
  readonly child?: string;
  /** Path that gets its own number once it runs. */
  readonly readyPath?: string;
  /** Path that gets the arguments of each call, a line each. */
  readonly callsPath?: string;
  readonly hang?: boolean;
  readonly ignoreSignals?: boolean;
  readonly killSelf?: 'SIGKILL' | 'SIGSEGV' | 'SIGTERM';
  readonly garbageBytes?: number;
  readonly textBytes?: number;
}

const PROGRAM = join(import.meta.dirname, 'fake-trtexec.mjs');
export const TRTEXEC_FIXTURES = join(dirname(dirname(import.meta.dirname)), 'fixtures', 'trtexec');

/** A log or JSON file of the fixtures as text. */
export function trtexecFixture(name: string): string {
  return readFileSync(join(TRTEXEC_FIXTURES, name), 'utf8');
}

/** The payload of a JSON fixture: what trtexec wrote. */
export function trtexecPayload(name: string, key: string): string {
  const document = JSON.parse(trtexecFixture(name)) as Record<string, unknown>;
  return JSON.stringify(document[key]);
}

/** Device of the A100 run among the fixtures. */
export const A100: readonly string[] = [
  'Selected Device: NVIDIA A100 80GB PCIe',
  'Compute Capability: 8.0',
  'SMs: 108',
  'Device Global Memory: 80994 MiB',
  'Application Compute Clock Rate: 1.41 GHz',
  'Application Memory Clock Rate: 1.512 GHz',
];

/** Writes an executable `trtexec` into a folder and gives its path. */
export function fakeTrtexec(folder: string, fake: FakeTrtexec = {}): string {
  const path = join(folder, 'trtexec');
  const settings = JSON.stringify({ device: A100, ...fake });
  writeFileSync(`${path}.json`, settings);
  writeFileSync(path, `#!/bin/sh\nFAKE_TRTEXEC="$(cat '${path}.json')" exec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
