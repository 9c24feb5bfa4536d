import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';
import type { ServerResponse } from './client.js';
import { serverText } from './server-error.js';

const MAX_NAMES = 12;

/** SO5102: an error status where a success was needed. `serverMessage` is the text of the server. */
export function refused(address: string, response: ServerResponse, serverMessage: string): ServeOptError {
  const location = response.header('location');
  const status = Number(response.status);
  const why =
    serverMessage !== ''
      ? `the server reports: ${serverMessage}`
      : location !== undefined
        ? `it redirects to ${serverText(location)}; redirects are not followed`
        : 'the server gives no reason';
  const hint =
    location !== undefined
      ? 'give the URL that it redirects to'
      : status === 401 || status === 403 || /\btoken\b|api.?key|unauthenticated/i.test(serverMessage + response.status)
        ? '--header "Authorization: Bearer TOKEN" sends a token'
        : undefined;
  return new ServeOptError('SO5102', `The server at ${address} responded with ${statusWords(response.status)}`, {
    why,
    ...(hint === undefined ? {} : { hint }),
  });
}

function statusWords(status: string): string {
  return /^\d+$/.test(status) ? `HTTP status ${status}` : status;
}

/** SO5104, with what is there instead. Without `name`: none was given and there is not exactly one. */
export function missingModel(
  address: string,
  name: string | undefined,
  version: string | undefined,
  serverMessage: string,
  names: readonly string[],
): ServeOptError {
  const shown = names.slice(0, MAX_NAMES).map(serverText).join(', ');
  const list = names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
  if (name === undefined) {
    const message = `No model of the server at ${address} was chosen`;
    return names.length === 0
      ? new ServeOptError('SO5104', message, {
          why: 'the server does not list its models',
          hint: 'name it in the URL, as the protocol does, or with --model',
        })
      : new ServeOptError('SO5104', message, {
          why: `it has ${names.length} models: ${list}`,
          hint: 'name one with --model',
        });
  }
  const what =
    version === undefined ? `"${serverText(name)}"` : `"${serverText(name)}" in version ${serverText(version)}`;
  const near = suggest(name, names);
  const hint = names.includes(name)
    ? 'leave the version out for the newest'
    : near !== undefined
      ? `did you mean "${serverText(near)}"?`
      : names.length > 0
        ? `it has: ${list}`
        : undefined;
  return new ServeOptError('SO5104', `The server at ${address} has no model ${what} that is ready`, {
    ...(serverMessage === '' ? {} : { why: `the server reports: ${serverMessage}` }),
    ...(hint === undefined ? {} : { hint }),
  });
}
