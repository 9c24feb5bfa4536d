/** Processes of this machine as /proc shows them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProcessRow {
  readonly pid: number;
  readonly parentPid: number;
  /** One letter: R runs, S sleeps, T is stopped, Z is dead and not yet waited for. */
  readonly state: string;
  readonly residentBytes: number;
}

/** The memory pages of Linux on the machines that Node has builds for, save a few ARM ones with larger pages. */
const PAGE_BYTES = 4096;

export function hasProc(): boolean {
  return readText('/proc/self/stat') !== undefined;
}

export function processRows(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = readText(join('/proc', name, 'stat'));
    if (text === undefined) continue;
    // The command in parentheses may hold anything, parentheses included.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', parentPid = '0'] = fields;
    rows.push({
      pid: Number(name),
      parentPid: Number(parentPid),
      state,
      residentBytes: Number(fields[21] ?? 0) * PAGE_BYTES,
    });
  }
  return rows;
}

/** The process and all below it; `known` are pids that were below it before, whose parent may be gone. */
export function treeOf(rootPid: number, rows: readonly ProcessRow[], known: Set<number>): ProcessRow[] {
  known.add(rootPid);
  // Parents may come after their children in the list.
  for (let size = 0; size !== known.size; ) {
    size = known.size;
    for (const row of rows) if (known.has(row.parentPid)) known.add(row.pid);
  }
  return rows.filter((row) => known.has(row.pid));
}

/** Processes alive whose environment holds the text, with their command lines. */
export function processesWith(environmentText: string): { readonly pid: number; readonly command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const { pid, state } of processRows()) {
    if (state === 'Z' || pid === process.pid) continue;
    if (readText(`/proc/${pid}/environ`)?.includes(environmentText) !== true) continue;
    const command = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim();
    found.push({ pid, command });
  }
  return found;
}

/** Undefined for what has ended meanwhile, and for what this user may not read. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
