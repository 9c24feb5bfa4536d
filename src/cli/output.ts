import type { CliContext, OutputStream } from './context.js';
import { withoutWorkflowCommands } from './render/workflow-commands.js';

/** Version of the outer JSON document; a report inside has its own. */
export const DOCUMENT_SCHEMA_VERSION = 1;

export type DocumentBody =
  | { readonly ok: boolean; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown };

/** Writes text for people. In GitHub Actions, what looks like a workflow command is defused. */
export function writeText(stream: OutputStream, text: string, context: Pick<CliContext, 'env'>): void {
  if (text === '') return;
  stream.write(inGitHubActions(context) ? withoutWorkflowCommands(text) : text);
}

/** Writes the one JSON document of a run to stdout. `command` is null when none was recognised. */
export function writeDocument(
  command: string | null,
  body: DocumentBody,
  context: Pick<CliContext, 'stdout' | 'env'>,
): void {
  const document = { schemaVersion: DOCUMENT_SCHEMA_VERSION, command, ...body };
  const text = JSON.stringify(document, plainValue, 2);
  // Inside JSON a number sign may be written as an escape: the value stays what it was.
  const safe = inGitHubActions(context) ? text.replaceAll('##[', '#\\u0023[') : text;
  context.stdout.write(`${safe}\n`);
}

export function inGitHubActions(context: Pick<CliContext, 'env'>): boolean {
  return context.env.GITHUB_ACTIONS === 'true';
}

/** What JSON has no word for: big integers become numbers where exact and text where not; numeric arrays become lists. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array);
  return value;
}
