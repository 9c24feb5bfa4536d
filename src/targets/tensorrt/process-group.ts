/**
 * Signals to a process and all that it started. The process must be the leader of its group (`detached`). Nothing happens where
 * the group has ended.
 */
export function signalGroup(leader: number, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended meanwhile, or the system has no groups: then the process alone.
    try {
      process.kill(leader, signal);
    } catch {}
  }
}
