import { ServeOptError } from '../../errors.js';
import type { OptionRule } from './option-rule.js';
import { OPTION_RULES } from './option-rules.js';

/**
 * Options by the name of their flag, without hyphens, with the value as it is written; '' for a switch. Of `budget` the metrics, as
 * it may be given several times.
 */
export type GivenOptions = ReadonlyMap<string, string | readonly string[]>;

/**
 * Refuses options that contradict each other. @returns warnings about options of which nothing comes, one sentence each
 * @throws SO1002 naming both
 */
export function checkOptionRules(command: string, given: GivenOptions): string[] {
  const warnings: string[] = [];
  for (const rule of OPTION_RULES) {
    if (rule.commands && !rule.commands.some((each) => each === command)) continue;
    if (rule.unless !== undefined && isGiven(rule.unless, given)) continue;
    for (const option of rule.options) {
      if (!isGiven(option, given)) continue;
      refuse(rule, option, given);
      const idle = whyIdle(rule, option, given);
      if (idle !== undefined) warnings.push(idle);
    }
  }
  return warnings;
}

function refuse({ excludes = [], needs, why, hint }: OptionRule, option: string, given: GivenOptions): void {
  const details = (usual?: string) => {
    const text = hint ?? usual;
    return { ...(why === undefined ? {} : { why }), ...(text === undefined ? {} : { hint: text }) };
  };
  const other = excludes.find((each) => isGiven(each, given));
  if (other !== undefined) {
    throw new ServeOptError('SO1002', `${option} and ${other} contradict each other`, details('leave one of them out'));
  }
  if (needs !== undefined && !isGiven(needs, given))
    throw new ServeOptError('SO1002', `${option} needs ${needs}`, details(`add ${needs}, or leave ${option} out`));
}

function whyIdle(
  { idleWith = [], idleWithout = [], why }: OptionRule,
  option: string,
  given: GivenOptions,
): string | undefined {
  if (idleWith.length + idleWithout.length === 0) return undefined;
  if (!idleWith.every((each) => isGiven(each, given)) || idleWithout.some((each) => isGiven(each, given)))
    return undefined;
  const beside = [
    ...(idleWith.length > 0 ? [`with ${idleWith.join(' ')}`] : []),
    ...(idleWithout.length > 0 ? [`without ${idleWithout.join(' or ')}`] : []),
  ];
  return `${option} has no effect ${beside.join(' and ')}${why === undefined ? '' : `: ${why}`}.`;
}

/** Whether an option, or an option with a value, is among those given. */
function isGiven(option: string, given: GivenOptions): boolean {
  const [flag = '', value] = option.split(' ');
  const found = given.get(flag === '-o' ? 'output' : flag.replace(/^--/, ''));
  if (found === undefined || value === undefined) return found !== undefined;
  return typeof found === 'string' ? value === found : found.includes(value);
}
