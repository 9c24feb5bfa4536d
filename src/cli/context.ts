import type { OutputStream } from './output-stream.js';
import type { Progress, ProgressOptions } from './render/progress.js';

/** Everything a command may know of the world it runs in. Tests make their own. */
export interface CliContext {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is the ServeOptError to end with. */
  readonly signal: AbortSignal;
  readonly versions: Versions;
  /** Who shows progress, where that is not this thread. */
  readonly createProgress?: (options: ProgressOptions) => Progress;
}

/** What an error report must name to be of use. */
export interface Versions {
  readonly serveOpt: string;
  readonly node: string;
  /** For example `linux-x64`. */
  readonly platform: string;
}
