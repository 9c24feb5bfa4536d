/**
 * Signals to a process and all that it started. The process must be the leader of its group (`detached`). Nothing happens where
 * the group has ended; a number that the system has given to another process meanwhile is never signalled (`mayBeGone`).
 */
export function signalGroup(leader: number, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL', mayBeGone = false): void {
  try {
    process.kill(-leader, signal);
  } catch {
    if (mayBeGone) return;
    // The system has no groups: then the process alone.
    try {
      process.kill(leader, signal);
    } catch {}
  }
}
