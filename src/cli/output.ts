import { withoutWorkflowCommands } from '../report/ci/workflow-commands.js';
import { reportJson } from '../report/json.js';
import type { CliContext } from './context.js';
import type { OutputStream } from './output-stream.js';

/** Version of the outer JSON document; a report inside has its own. */
export const DOCUMENT_SCHEMA_VERSION = 1;

export type DocumentBody =
  | { readonly ok: boolean; readonly result: unknown; readonly error?: unknown }
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
  const text = reportJson(document);
  // Inside JSON a number sign may be written as an escape: the value stays what it was.
  const safe = inGitHubActions(context) ? text.replaceAll('##[', '#\\u0023[') : text;
  context.stdout.write(safe);
}

export function inGitHubActions(context: Pick<CliContext, 'env'>): boolean {
  return context.env.GITHUB_ACTIONS === 'true';
}
