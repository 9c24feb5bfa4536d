import type { OutputStream } from '../output-stream.js';
import type { Style } from './style.js';

/** A moving line at the end of a terminal. */
export interface Spinner {
  update(text: string): void;
  /** Takes the line away so that another can be printed; the next update brings it back. */
  clear(): void;
  stop(): void;
}

/** What ends sooner is never animated: a flash tells nothing. */
const DELAY_MS = 200;
const REFRESH_MS = 80;

/** Starts by itself after a moment; ora is loaded only then. */
export function createSpinner(stream: OutputStream, style: Style): Spinner {
  let text = '';
  let shownMs = 0;
  let stopped = false;
  let ora: { text: string; start(): unknown; stop(): unknown; clear(): unknown } | undefined;

  const begin = async (): Promise<void> => {
    const { default: createOra } = await import('ora');
    if (stopped) return;
    ora = createOra({
      text,
      stream,
      isEnabled: true,
      color: style.enabled ? 'cyan' : false,
      // Raw mode would swallow Ctrl-C while the event loop is busy.
      discardStdin: false,
    });
    ora.start();
  };
  // An animation that cannot be loaded is no reason to fail a run.
  const timer = setTimeout(() => void begin().catch(() => undefined), DELAY_MS);
  timer.unref();

  return {
    update: (next) => {
      text = next;
      const nowMs = performance.now();
      if (ora === undefined || nowMs - shownMs < REFRESH_MS) return;
      shownMs = nowMs;
      ora.text = next;
    },
    clear: () => ora?.clear(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      ora?.stop();
    },
  };
}
