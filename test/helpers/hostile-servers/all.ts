import { GRPC_SERVERS } from './grpc.js';
import { GRPC_FRAME_SERVERS } from './grpc-frames.js';
import type { HostileServerKind } from './kind.js';
import { COMPLETION_SERVERS, TENSORFLOW_SERVERS, TORCHSERVE_SERVERS } from './other-protocols.js';
import { RAW_HTTP_SERVERS } from './raw-http.js';
import { V2_HTTP_SERVERS } from './v2-http.js';

/**
 * Every hostile server. For each: start it, run `bench --url` with its `args` and short limits of time, look at the exit
 * code, close it. The word BODIES among the arguments stands for a .jsonl file with a JSON body a line.
 */
export const HOSTILE_SERVERS: readonly HostileServerKind[] = [
  ...RAW_HTTP_SERVERS,
  ...V2_HTTP_SERVERS,
  ...GRPC_SERVERS,
  ...GRPC_FRAME_SERVERS,
  ...COMPLETION_SERVERS,
  ...TENSORFLOW_SERVERS,
  ...TORCHSERVE_SERVERS,
];

/** The ends that are documented for a server that misbehaves. */
export const SERVER_ERROR_CODES = ['SO5101', 'SO5102', 'SO5103', 'SO5104'] as const;

/** The word in `args` that stands for a file of bodies. */
export const BODIES = 'BODIES';
