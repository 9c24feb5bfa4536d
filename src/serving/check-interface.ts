import type { ValueSpec } from '../samples/types.js';
import type { ServerModel } from './client.js';
import { MOST_DIMENSIONS, MOST_NAME_CHARACTERS, MOST_TENSORS } from './limits.js';
import { malformed, serverText } from './server-error.js';

/** Holds what a server says of its model against the limits, before anything is made for it. @throws SO5103 */
export function checkInterface({ inputs, outputs }: ServerModel): void {
  checkSpecs(inputs ?? [], 'input');
  checkSpecs(outputs ?? [], 'output');
}

function checkSpecs(specs: readonly ValueSpec[], what: string): void {
  if (specs.length > MOST_TENSORS) {
    throw malformed(
      `The server describes a model of more than ${MOST_TENSORS} ${what}s`,
      'that is the most there can be',
    );
  }
  const names = new Set<string>();
  for (const { name, shape } of specs) {
    const shown = serverText(name);
    if (name.length > MOST_NAME_CHARACTERS) {
      throw malformed(
        `The server describes an ${what} with a name of ${name.length} characters`,
        `a name has at most ${MOST_NAME_CHARACTERS} characters here`,
      );
    }
    if (names.has(name)) throw malformed(`The server describes two ${what}s named "${shown}"`);
    names.add(name);
    if (shape && shape.length > MOST_DIMENSIONS) {
      throw malformed(
        `The server describes the ${what} "${shown}" with ${shape.length} dimensions`,
        `a tensor has at most ${MOST_DIMENSIONS} dimensions here`,
      );
    }
  }
}
