import { OPTIMIZE_LEVELS } from '../../passes/levels.js';
import { unknownPass } from '../../passes/optimize-graph.js';
import { OPTIMIZE_PRESET } from '../../passes/presets.js';
import { PASSES, passOptions, type RegisteredPass } from '../../passes/registry.js';
import type { CommandContext, CommandResult } from '../command.js';
import { passDescription } from '../pass-page.js';
import type { PassFacts } from '../render/pass-facts.js';
import { renderPass, renderPasses } from '../render/passes-text.js';

/** The `result` of `serve-opt passes --json`. */
export interface PassesReport {
  readonly schemaVersion: 1;
  readonly passes: readonly PassFacts[];
}

/** `serve-opt passes [name]` */
export async function run(context: CommandContext, args: readonly string[]): Promise<CommandResult> {
  const [name] = args;
  if (name === undefined) {
    const report: PassesReport = { schemaVersion: 1, passes: PASSES.map(factsOf) };
    return { report, text: () => renderPasses(report.passes, context) };
  }
  const pass = PASSES.find(({ definition }) => definition.name === name);
  if (!pass) {
    throw unknownPass(
      name,
      PASSES.map(({ definition }) => definition.name),
    );
  }
  const description = await passDescription(name);
  const facts = { ...factsOf(pass), ...(description === undefined ? {} : { description }) };
  const report: PassesReport = { schemaVersion: 1, passes: [facts] };
  return { report, text: () => renderPass(facts, context) };
}

function factsOf(pass: RegisteredPass): PassFacts {
  const { name, summary, group, numerics, scope, opset } = pass.definition;
  const row = OPTIMIZE_PRESET.find(({ pass: { definition } }) => definition.name === name);
  const from = row?.level === undefined ? OPTIMIZE_LEVELS.length : OPTIMIZE_LEVELS.indexOf(row.level);
  const options = [...passOptions(pass.definition)].filter(([, { internal }]) => !internal);
  return {
    name,
    summary,
    group,
    numerics,
    scope,
    opset,
    ...(row
      ? {
          optimize: {
            stage: row.stage,
            levels: OPTIMIZE_LEVELS.slice(from),
            operators: pass.ready?.().ortOnly ? 'ort' : 'portable',
          },
        }
      : {}),
    options: options.map(([option, { description, default: value, choices }]) => ({
      name: option,
      description,
      default: value,
      ...(choices ? { choices } : {}),
    })),
  };
}
