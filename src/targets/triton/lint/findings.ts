import type { TextPosition } from '../../../proto/text-syntax.js';
import type { PackageFinding } from '../../finding.js';
import { type RuleId, TRITON_RULES } from './rules.js';

/** Findings of one check, in the order in which they were made; equal ones once. */
export class Findings {
  readonly list: PackageFinding[] = [];
  readonly #seen = new Set<string>();
  readonly #folders = new Set<string>();
  /** The folder of the model that is being checked. */
  folder = '';

  add(rule: RuleId, path: string, what: string, fix?: string, position?: TextPosition): void {
    const { severity, why, fix: usual } = TRITON_RULES[rule];
    // The same place of a configuration may be wrong for each version of a model: once is enough.
    const key = JSON.stringify([rule, path, position?.line, position?.column, what]);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (severity === 'error') this.#folders.add(this.folder);
    const place = position === undefined ? {} : { line: position.line, column: position.column };
    this.list.push({ severity, rule: `triton/${rule}`, path, ...place, what, why, fix: fix ?? usual });
  }

  /** Whether the model in a folder has errors. */
  hasErrorsIn(folder: string): boolean {
    return this.#folders.has(folder);
  }
}
