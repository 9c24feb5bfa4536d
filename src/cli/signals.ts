import { ServeOptError } from '../errors.js';

const SIGNALS = [
  ['SIGINT', 'SO8130', 'Interrupted'],
  ['SIGTERM', 'SO8143', 'Terminated'],
  ['SIGHUP', 'SO8143', 'Terminated: the terminal is gone'],
] as const;

/** After a signal the process ends by then, whatever else holds it. The thread of a command is given less. */
const LAST_RESORT_MS = 7000;

/**
 * From now on signals abort: the reason is the error to end with. A second one ends the process at once, and so does time.
 * What the process holds is removed as it ends (`createProcessHost`).
 */
export function hearSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [name, code, message] of SIGNALS) {
    process.on(name, () => {
      const reason = new ServeOptError(code, message, { hint: 'no incomplete files were left; run again' });
      // A second signal means now.
      if (controller.signal.aborted) process.exit(reason.exitCode);
      controller.abort(reason);
      setTimeout(() => process.exit(reason.exitCode), LAST_RESORT_MS).unref();
    });
  }
  return controller.signal;
}
