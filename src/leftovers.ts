/**
 * What must not outlive the program: folders and child processes it made for itself. Whoever makes one notes it here first
 * and lets go of it after; whoever ends the program in a hurry, while other code is still at work, removes what stands here.
 *
 * This is state of the whole process, on purpose: it mirrors what the process holds of the system, whoever asked for it.
 */
export type Leftover =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'process'; readonly pid: number };

export interface LeftoverChange {
  readonly leftover: Leftover;
  /** False once it is gone, or handed over. */
  readonly held: boolean;
}

export type LeftoverObserver = (change: LeftoverChange) => void;

const held = new Map<string, Leftover>();
const observers = new Set<LeftoverObserver>();

/** The same leftover has the same key, in every thread. */
export function leftoverKey(leftover: Leftover): string {
  return leftover.kind === 'folder' ? `folder ${leftover.path}` : `process ${leftover.pid}`;
}

/** Notes that something has to be removed before the program ends. For a folder: before it is made. */
export function holdLeftover(leftover: Leftover): void {
  held.set(leftoverKey(leftover), leftover);
  for (const observe of observers) observe({ leftover, held: true });
}

/** It is gone. */
export function releaseLeftover(leftover: Leftover): void {
  if (!held.delete(leftoverKey(leftover))) return;
  for (const observe of observers) observe({ leftover, held: false });
}

/** What stands here now. */
export function heldLeftovers(): readonly Leftover[] {
  return [...held.values()];
}

/** Hears of every change from now on, at once; gives a function that ends it. */
export function observeLeftovers(observer: LeftoverObserver): () => void {
  observers.add(observer);
  return () => observers.delete(observer);
}
