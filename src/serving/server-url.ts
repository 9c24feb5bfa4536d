import { ServeOptError } from '../errors.js';
import type { Protocol } from './protocols.js';

/** A server's URL taken apart. */
export interface ServerUrl {
  readonly secure: boolean;
  /** Host in the form that sockets take (no brackets). */
  readonly host: string;
  readonly port: number;
  /** `host:port`, for headers and messages. */
  readonly address: string;
  /** What stands before the paths of the protocol: '' or `/prefix`. */
  readonly prefix: string;
  /** Given by scheme or path; undefined where neither gives it. */
  readonly protocol: Protocol | undefined;
  readonly model: string | undefined;
  readonly version: string | undefined;
}

const SCHEMES: ReadonlyMap<string, { readonly secure: boolean; readonly grpc: boolean; readonly port: number }> =
  new Map([
    ['http:', { secure: false, grpc: false, port: 80 }],
    ['https:', { secure: true, grpc: false, port: 443 }],
    ['grpc:', { secure: false, grpc: true, port: 8001 }],
    ['grpcs:', { secure: true, grpc: true, port: 443 }],
  ]);

/** Paths that only one protocol has. The groups are prefix, model and version. */
const PATHS: readonly { readonly pattern: RegExp; readonly protocol: Protocol }[] = [
  {
    pattern: /^(.*?)\/v2(?:\/models\/(?<model>[^/]+)(?:\/versions\/(?<version>[^/]+))?(?:\/(?:infer|ready))?)?$/,
    protocol: 'v2-http',
  },
  {
    pattern: /^(.*?)\/predictions\/(?<model>[^/]+)(?:\/(?<version>[^/]+))?$/,
    protocol: 'torchserve',
  },
  {
    pattern: /^(.*?)\/v1\/models\/(?<model>[^/:]+)(?:\/versions\/(?<version>[^/:]+))?(?::predict|\/metadata)?$/,
    protocol: 'tfserving',
  },
  { pattern: /^(.*?)\/chat\/completions$/, protocol: 'openai-chat' },
  { pattern: /^(.*?)\/completions$/, protocol: 'openai' },
];

/**
 * A URL may hold a password or a token in any of its parts, right or wrong: no message repeats it.
 * @throws SO1006 for text that is not a URL of a server
 */
export function parseServerUrl(text: string): ServerUrl {
  let url: URL;
  try {
    // Special schemes are parsed as the web does: only those put an empty path right.
    url = new URL(text.replace(/^grpc(s?):/i, 'http$1:'));
  } catch {
    // The cause holds the whole text.
    throw new ServeOptError('SO1006', 'The value of --url is not a URL', {
      hint: 'for example http://127.0.0.1:8000/v2/models/NAME, or grpc://127.0.0.1:8001/NAME',
    });
  }
  const scheme = SCHEMES.get(/^grpcs?:/i.exec(text)?.[0].toLowerCase() ?? url.protocol);
  if (!scheme) {
    throw new ServeOptError('SO1006', 'The value of --url has an unknown scheme', {
      why: 'it must start with http://, https://, grpc:// or grpcs://',
      hint: 'for example http://127.0.0.1:8000/v2/models/NAME',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ServeOptError('SO1006', 'The URL of a server must not contain a user or a password', {
      why: 'it would appear in reports',
      hint: 'use --header "Authorization: Bearer TOKEN"',
    });
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ServeOptError('SO1006', 'The URL of a server must not have a query ("?") or a fragment ("#")', {
      why: 'requests go to the paths of the protocol',
      hint: 'leave that part out; --header "Name: value" sends a token',
    });
  }
  const written = /^[a-z]+:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(text)?.[1];
  const port = written === undefined ? scheme.port : Number(written);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const base = { secure: scheme.secure, host, port, address: `${url.hostname}:${port}` };
  const path = url.pathname.replace(/\/+$/, '');
  if (scheme.grpc) return { ...base, ...grpcPath(path), prefix: '', protocol: 'v2-grpc' };
  for (const { pattern, protocol } of PATHS) {
    const match = pattern.exec(path);
    if (!match) continue;
    const { model, version } = match.groups ?? {};
    return { ...base, prefix: match[1] ?? '', protocol, model: decoded(model), version: decoded(version) };
  }
  return { ...base, prefix: path, protocol: undefined, model: undefined, version: undefined };
}

/** gRPC has no paths of its own to address a model: `grpc://host/NAME` or `grpc://host/NAME/VERSION`. */
function grpcPath(path: string): { readonly model: string | undefined; readonly version: string | undefined } {
  const parts = path.replace(/^\/(?:v2\/models\/)?/, '').split('/');
  return { model: decoded(parts[0]), version: decoded(parts[1] === 'versions' ? parts[2] : parts[1]) };
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
