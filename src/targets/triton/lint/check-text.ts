import type { TextProblem } from '../../../proto/text-format.js';
import type { RuleId } from './rules.js';
import type { ModelView } from './view.js';

const RULE_OF: Readonly<Record<TextProblem['kind'], RuleId>> = {
  encoding: 'text-encoding',
  syntax: 'text-syntax',
  field: 'unknown-field',
  value: 'field-value',
  twice: 'field-twice',
  limit: 'config-too-large',
  octal: 'octal-number',
  bytes: 'text-bytes',
  key: 'key-twice',
};

/** The text of a configuration: syntax, fields and types of values. */
export function checkText(view: ModelView): void {
  const { configFile, problems, notices } = view;
  if (configFile?.unreadable !== undefined) {
    view.on('config-unreadable', configFile.path, `The configuration cannot be read: ${configFile.unreadable}`);
  }
  for (const problem of [...problems, ...notices]) {
    const { kind, message, suggestion } = problem;
    const meant = suggestion === undefined ? undefined : `Write ${suggestion}`;
    view.atText(RULE_OF[kind], problem, message, meant);
  }
}
