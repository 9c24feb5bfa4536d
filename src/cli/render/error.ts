import { environmentError } from '../../codec/system-error.js';
import { stackText } from '../../error-data.js';
import { bug, ServeOptError } from '../../errors.js';
import { safeText } from '../../report/safe-text.js';
import { withoutCredentials } from '../../report/secrets.js';
import type { Versions } from '../context.js';
import type { Style } from './style.js';
import { wrapLine } from './wrap.js';

/** The `error` of the JSON document. */
export interface ErrorReport {
  readonly code: string;
  readonly exitCode: number;
  readonly message: string;
  readonly why?: string;
  readonly hint: string;
  readonly location?: Readonly<Record<string, string | number>>;
  /** Only with `--debug`. */
  readonly stack?: string;
  /** Only for bugs. */
  readonly versions?: Versions;
}

/** Anything thrown becomes one of ours: what the system refused is a fault of the surroundings, the rest a bug in serve-opt. */
export function toServeOptError(thrown: unknown): ServeOptError {
  if (thrown instanceof ServeOptError) return thrown;
  const environment = environmentError(thrown);
  if (environment) return environment;
  if (thrown instanceof Error) return bug(`${thrown.name}: ${thrown.message}`, thrown);
  return bug(`Something that is not an error was thrown: ${String(thrown)}`);
}

/**
 * Plain data for JSON. Strings are as the model wrote them, but for the credentials of URLs: JSON escapes them itself.
 */
export function reportError(error: ServeOptError, versions: Versions, debug: boolean): ErrorReport {
  const location = Object.fromEntries(
    Object.entries(error.location)
      .filter(([, part]) => part !== undefined)
      .map(([key, part]: [string, string | number]) => [
        key,
        typeof part === 'string' ? withoutCredentials(part) : part,
      ]),
  );
  const isBug = error.code === 'SO9001';
  return {
    code: error.code,
    exitCode: error.exitCode,
    message: withoutCredentials(error.message),
    ...(error.why === undefined ? {} : { why: withoutCredentials(error.why) }),
    hint: withoutCredentials(error.hint),
    ...(Object.keys(location).length === 0 ? {} : { location }),
    ...(debug ? { stack: withoutCredentials(stackText(error)) } : {}),
    ...(isBug ? { versions } : {}),
  };
}

/**
 * What, why, hint: each on its own line, ending in a line break.
 *
 * ```
 * ✗ SO2001 "model.onnx" does not exist
 *   hint: serve-opt inspect other.onnx
 * ```
 */
export function renderError(
  error: ServeOptError,
  style: Style,
  versions: Versions,
  debug: boolean,
  columns?: number,
): string {
  const report = reportError(error, versions, debug);
  const lines = [wrapLine(`${style.failed} ${style.bold(report.code)} ${safeText(report.message)}`, columns, 2)];
  const location = unsaidLocation(report);
  if (location !== undefined) lines.push(`  at: ${renderLocation(location)}`);
  if (report.why !== undefined) lines.push(wrapLine(`  why: ${safeText(report.why)}`, columns, 7));
  if (report.versions !== undefined) {
    const { serveOpt, node, platform } = report.versions;
    lines.push(`  versions: serve-opt ${serveOpt}, node ${node}, ${platform}`);
  }
  const hint = `  ${style.cyan('hint:')} ${safeText(report.hint)}`;
  // A command is copied whole; prose is wrapped.
  lines.push(report.hint.startsWith('serve-opt ') ? hint : wrapLine(hint, columns, 8));
  if (report.stack !== undefined) {
    for (const line of report.stack.split('\n')) lines.push(style.dim(`  ${safeText(line.trimEnd())}`));
  }
  return `${lines.join('\n')}\n`;
}

/** A message that names the file need not be followed by it. */
function unsaidLocation({ message, location }: ErrorReport): ErrorReport['location'] {
  if (location === undefined) return undefined;
  const { file, ...rest } = location;
  const isSaid = typeof file === 'string' && message.includes(file);
  return isSaid && Object.keys(rest).length === 0 ? undefined : location;
}

const LOCATION_WORDS: ReadonlyMap<string, string> = new Map([
  ['file', ''],
  ['byteOffset', 'byte '],
  ['graph', 'graph '],
  ['node', 'node '],
  ['value', 'value '],
]);

function renderLocation(location: Readonly<Record<string, string | number>>): string {
  return Object.entries(location)
    .map(([key, part]) => {
      const quoted = typeof part === 'number' ? String(part) : safeText(part, 200);
      return `${LOCATION_WORDS.get(key) ?? `${key} `}${quoted}`;
    })
    .join(', ');
}
