import { OPTIMIZE_LEVELS, type OptimizeLevel, type OptimizeStage } from '../../passes/levels.js';
import { unknownPass } from '../../passes/optimize-graph.js';
import type { Numerics, PassGroup } from '../../passes/pass.js';
import { OPTIMIZE_PRESET } from '../../passes/presets.js';
import { PASSES, passOptions, type RegisteredPass } from '../../passes/registry.js';
import type { CommandContext, CommandResult } from '../command.js';
import { passDescription } from '../pass-page.js';
import { renderPass, renderPasses } from '../render/passes-text.js';

/** The `result` of `serve-opt passes --json`. */
export interface PassesReport {
  readonly schemaVersion: 1;
  readonly passes: readonly PassFacts[];
}

/** What is known of a pass. */
export interface PassFacts {
  readonly name: string;
  readonly summary: string;
  readonly group: PassGroup;
  readonly numerics: Numerics;
  readonly scope: 'main-graph' | 'all-graphs';
  /** Versions of ai.onnx it works in; null is open. */
  readonly opset: readonly [number, number | null];
  /** Its place in `optimize`; absent for passes of other commands. */
  readonly optimize?: {
    readonly stage: OptimizeStage;
    /** The levels that have it; none for a pass that runs only where it is asked for by name. */
    readonly levels: readonly OptimizeLevel[];
    readonly target: 'portable' | 'ort';
  };
  readonly options: readonly {
    readonly name: string;
    readonly description: string;
    readonly default: unknown;
    readonly choices?: readonly string[];
  }[];
  /** Equation, conditions and reference; only where one pass is asked for. */
  readonly description?: string;
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
            target: pass.ready?.().ortOnly ? 'ort' : 'portable',
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
