/** What a control group of Linux tells about processor time and memory, for versions 1 and 2 of the interface. */
import { readFileSync } from 'node:fs';

/** The text of a file; undefined when it cannot be read. */
export type TextReader = (path: string) => string | undefined;

export const readTextFile: TextReader = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const ROOT = '/sys/fs/cgroup';

interface Group {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** A controller of version 1, and a file by which its folder is known: the short name is not everywhere a link. */
interface Controller {
  readonly name: string;
  readonly file: string;
}

const CPU: Controller = { name: 'cpu', file: 'cpu.cfs_period_us' };
const MEMORY: Controller = { name: 'memory', file: 'memory.limit_in_bytes' };

/**
 * Folders of the group of this process and of those around it, the innermost first: each of them may set a limit. In a
 * container the innermost is often mounted as the root, whatever path the process is told.
 */
function groupsOf(controller: Controller, read: TextReader): readonly Group[] {
  const groups: Group[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const levels = ancestors(path);
    if (controllers === '') for (const level of levels) groups.push({ folder: ROOT + level, version: 2 });
    else if (controllers.split(',').includes(controller.name)) {
      const mounts = [`${ROOT}/${controllers}`, `${ROOT}/${controller.name}`];
      const known = mounts.find((folder) => read(`${folder}/${controller.file}`) !== undefined);
      for (const level of levels) groups.push({ folder: (known ?? `${ROOT}/${controller.name}`) + level, version: 1 });
    }
  }
  return groups;
}

/** `/a/b` → `/a/b`, `/a`, and the root, which is empty. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  // A group outside of what this process can see.
  if (parts.includes('..')) return [''];
  return [...parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`), ''];
}

/** CPUs that the groups of this process allow it, the smallest limit of all; undefined without one. */
export function cpuQuota(read: TextReader = readTextFile): number | undefined {
  const quotas: number[] = [];
  for (const { folder, version } of groupsOf(CPU, read)) {
    const [quota, period] =
      version === 2
        ? (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/)
        : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)];
    // "max" and -1 are no limit.
    const cpus = Number(quota) / Number(period);
    if (Number.isFinite(cpus) && cpus > 0) quotas.push(cpus);
  }
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

/**
 * Periods, so far, in which the groups of this process were stopped because their processor time was used up: read it
 * before and after a measurement. Undefined where no group tells.
 */
export function throttledPeriods(read: TextReader = readTextFile): number | undefined {
  let periods: number | undefined;
  for (const { folder } of groupsOf(CPU, read)) {
    const match = /^nr_throttled (\d+)$/m.exec(read(`${folder}/cpu.stat`) ?? '');
    if (match) periods = (periods ?? 0) + Number(match[1]);
  }
  return periods;
}

/** What the groups of this process leave it of memory, in bytes, the least of all; undefined without a limit. */
export function memoryLeft(read: TextReader = readTextFile): number | undefined {
  const left: number[] = [];
  for (const { folder, version } of groupsOf(MEMORY, read)) {
    const [limitName, usageName, cacheName] =
      version === 2
        ? ['memory.max', 'memory.current', 'inactive_file']
        : ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'];
    const limit = Number.parseInt(read(`${folder}/${limitName}`) ?? '', 10);
    // "max" is no number; version 1 writes a number near 2^63 where there is no limit.
    if (!(limit < Number.MAX_SAFE_INTEGER)) continue;
    const usage = Number.parseInt(read(`${folder}/${usageName}`) ?? '0', 10) || 0;
    // Pages of files that nobody used lately are given back on demand.
    const cache = new RegExp(`^${cacheName} (\\d+)$`, 'm').exec(read(`${folder}/memory.stat`) ?? '')?.[1];
    left.push(Math.max(0, limit - usage + Number(cache ?? 0)));
  }
  return left.length === 0 ? undefined : Math.min(...left);
}
