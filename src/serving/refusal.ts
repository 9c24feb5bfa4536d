import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';
import type { Answer } from './client.js';
import { serverText } from './server-error.js';

const MOST_NAMES = 12;

/** SO5102: an error status where an answer was needed. `said` is the server's own word. */
export function refused(place: string, answer: Answer, said: string): ServeOptError {
  const location = answer.header('location');
  const status = Number(answer.status);
  const why =
    said !== ''
      ? `it says: ${said}`
      : location !== undefined
        ? `it sends to ${serverText(location)}, which is not followed`
        : 'it says no more';
  const hint =
    location !== undefined
      ? 'give the URL of the server that answers'
      : status === 401 || status === 403 || /\btoken\b|api.?key|unauthenticated/i.test(said + answer.status)
        ? '--header "Authorization: Bearer TOKEN" sends a token'
        : undefined;
  return new ServeOptError('SO5102', `The server at ${place} answers with ${statusWords(answer.status)}`, {
    why,
    ...(hint === undefined ? {} : { hint }),
  });
}

function statusWords(status: string): string {
  return /^\d+$/.test(status) ? `HTTP status ${status}` : status;
}

/** SO5104, with what is there instead. Without `name`: none was given and there is not exactly one. */
export function missingModel(
  place: string,
  name: string | undefined,
  version: string | undefined,
  said: string,
  names: readonly string[],
): ServeOptError {
  const shown = names.slice(0, MOST_NAMES).map(serverText).join(', ');
  const list = names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
  if (name === undefined) {
    const message = `It is not said which model of the server at ${place} to measure`;
    return names.length === 0
      ? new ServeOptError('SO5104', message, {
          why: 'the server does not list its models',
          hint: 'name it in the URL, as the protocol does, or with --model',
        })
      : new ServeOptError('SO5104', message, { why: `it has ${names.length}: ${list}`, hint: 'name one with --model' });
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
  return new ServeOptError('SO5104', `The server at ${place} has no model ${what} that is ready`, {
    ...(said === '' ? {} : { why: `it says: ${said}` }),
    ...(hint === undefined ? {} : { hint }),
  });
}
