/** serve-opt itself, as a user runs it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface ProgramResult {
  readonly code: number;
  /** The document of `--json`: `result` or `error`. */
  readonly document: {
    readonly result?: unknown;
    readonly error?: { readonly code: string; readonly message: string; readonly why?: string };
  };
  readonly stderr: string;
}

/** How long a command may take: it loads models on a machine that others use as well. */
const LIMIT_MS = 900_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** Runs a command with `--json`. @throws Error where it prints no document */
export function runProgram(root: string, words: readonly string[], cwd: string): Promise<ProgramResult> {
  const parameters = [join(root, 'bin/serve-opt.js'), ...words, '--json'];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      parameters,
      { cwd, timeout: LIMIT_MS, maxBuffer: MOST_BYTES },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        try {
          resolve({ code, document: JSON.parse(stdout) as ProgramResult['document'], stderr });
        } catch {
          reject(new Error(`${words.join(' ')} ended with ${code} and without a document: ${stderr.slice(-2000)}`));
        }
      },
    );
  });
}

/** What went wrong in a command, in one line; undefined where nothing did. */
export function whyFailed({ code, document, stderr }: ProgramResult): string | undefined {
  if (code === 0) return undefined;
  const { error } = document;
  if (error === undefined) return `exit ${code}: ${stderr.trim().split('\n').slice(0, 4).join(' | ')}`;
  return `exit ${code}: ${error.code} ${error.message}${error.why === undefined ? '' : `: ${error.why}`}`;
}
