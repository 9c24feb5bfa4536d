import type { ValueSpec } from '../samples/types.js';
import type { ServerModel } from './client.js';
import { MAX_DIMENSIONS, MAX_NAME_CHARACTERS, MAX_TENSORS } from './limits.js';
import { malformed, serverText } from './server-error.js';

/** Checks what a server reports of its model against the limits, before anything is allocated for it. @throws SO5103 */
export function checkInterface({ inputs, outputs }: ServerModel): void {
  checkSpecs(inputs ?? [], 'input');
  checkSpecs(outputs ?? [], 'output');
}

function checkSpecs(specs: readonly ValueSpec[], what: string): void {
  if (specs.length > MAX_TENSORS) {
    throw malformed(`The server describes a model of more than ${MAX_TENSORS} ${what}s`, 'that is the limit');
  }
  const names = new Set<string>();
  for (const { name, shape } of specs) {
    const shown = serverText(name);
    if (name.length > MAX_NAME_CHARACTERS) {
      throw malformed(
        `The server describes an ${what} with a name of ${name.length} characters`,
        `a name has at most ${MAX_NAME_CHARACTERS} characters here`,
      );
    }
    if (names.has(name)) throw malformed(`The server describes two ${what}s named "${shown}"`);
    names.add(name);
    if (shape && shape.length > MAX_DIMENSIONS) {
      throw malformed(
        `The server describes the ${what} "${shown}" with ${shape.length} dimensions`,
        `a tensor has at most ${MAX_DIMENSIONS} dimensions here`,
      );
    }
  }
}
