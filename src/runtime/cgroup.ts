/** What a control group of Linux tells about processor time, for versions 1 and 2 of the interface. */
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

interface CpuGroup {
  readonly folder: string;
  readonly version: 1 | 2;
}

/**
 * Folders of the group of this process and of those around it, the innermost first: each of them may set a limit. In a
 * container the innermost is often mounted as the root, whatever path the process is told.
 */
function cpuGroups(read: TextReader): readonly CpuGroup[] {
  const groups: CpuGroup[] = [];
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const levels = ancestors(path);
    if (controllers === '') for (const level of levels) groups.push({ folder: ROOT + level, version: 2 });
    else if (controllers.split(',').includes('cpu')) {
      // The link `cpu` is not everywhere.
      const mounts = [`${ROOT}/${controllers}`, `${ROOT}/cpu`];
      const mount = mounts.find((folder) => read(`${folder}/cpu.cfs_period_us`) !== undefined) ?? `${ROOT}/cpu`;
      for (const level of levels) groups.push({ folder: mount + level, version: 1 });
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
  for (const { folder, version } of cpuGroups(read)) {
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
  for (const { folder } of cpuGroups(read)) {
    const match = /^nr_throttled (\d+)$/m.exec(read(`${folder}/cpu.stat`) ?? '');
    if (match) periods = (periods ?? 0) + Number(match[1]);
  }
  return periods;
}
