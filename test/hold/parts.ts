import type { Suite } from '../conformance/suite.js';
import { bombsPart } from './bombs.js';
import type { Hold } from './context.js';
import { environmentPart } from './environment.js';
import { fullPart } from './full.js';
import { serversPart } from './servers.js';
import { signalsPart } from './signals.js';
import { trivialPart } from './trivial.js';

/** The only list of parts, in the order in which they run. */
export const PARTS: Readonly<Record<string, (hold: Hold) => Promise<Suite[]>>> = {
  trivial: trivialPart,
  signals: signalsPart,
  bombs: bombsPart,
  full: fullPart,
  environment: environmentPart,
  servers: serversPart,
};
