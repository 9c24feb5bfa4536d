import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { readSmallTextFile } from '../codec/small-file.js';
import type { LiveConnections } from './live-connections.js';
import { CLOSED, type Failure } from './server-error.js';

const HOSTS_FILE = '/etc/hosts';
const HOSTS_BYTES = 1024 * 1024;

/**
 * Waits until the name service gives any reply about a host. The system's own look-up, which sockets use, cannot be
 * abandoned: one that waits for a name service that is not there holds the end of the process for many seconds. So it is
 * begun only where something replies. Names that need no name service are let through at once.
 */
export async function awaitNameService(
  host: string,
  limitMs: number,
  connections: LiveConnections,
): Promise<Failure | undefined> {
  if (isIP(host) !== 0 || /(^|\.)(localhost|local)$/i.test(host) || isInHostsFile(host)) return undefined;
  const resolver = new dns.Resolver();
  let closed = false;
  const close = (): void => {
    closed = true;
    resolver.cancel();
  };
  const timer = setTimeout(() => resolver.cancel(), limitMs);
  connections.add(close);
  try {
    await resolver.resolve4(host);
    return undefined;
  } catch (cause) {
    if (closed) return CLOSED;
    // Whatever else is wrong, the system's look-up reports better.
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== dns.CANCELLED && code !== dns.TIMEOUT) return undefined;
    return {
      failure: 'timeout',
      why: `the name service did not respond within ${Math.ceil(limitMs)} ms`,
      hint: 'check the network, or give the address of the host in the URL',
    };
  } finally {
    clearTimeout(timer);
    connections.delete(close);
  }
}

function isInHostsFile(host: string): boolean {
  try {
    const wanted = host.toLowerCase();
    return readSmallTextFile(HOSTS_FILE, HOSTS_BYTES)
      .split('\n')
      .some((line) => line.replace(/#.*/, '').toLowerCase().split(/\s+/).slice(1).includes(wanted));
  } catch {
    // The file does not exist, as on Windows.
    return false;
  }
}
