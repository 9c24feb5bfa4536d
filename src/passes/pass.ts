import type { Model } from '../ir/model.js';
import type { Transform, TransformContext, TransformResult } from '../ir/transform.js';

/** One option of a pass, as data: the CLI flag, its help, the config schema and the docs page come from it. */
export interface OptionRow<T = unknown> {
  readonly description: string;
  readonly default: T;
  /** Allowed values of a string option. */
  readonly choices?: readonly string[];
  /** Not shown as a CLI flag: given by code (measured ranges, for one). */
  readonly internal?: boolean;
}

export type OptionTable<O> = { readonly [K in keyof O]-?: OptionRow<O[K]> };

export type PassGroup = 'eliminate' | 'fold' | 'fuse' | 'rewrite' | 'quantize' | 'prune';

/**
 * How outputs may differ after the pass: `exact` bit for bit, `reassociates` by rounding (tests compare at
 * 1e-4 relative), `lossy` by design.
 */
export type Numerics = 'exact' | 'reassociates' | 'lossy';

export interface PassDefinition<O extends object> {
  /** Kebab-case, verb first: `fold-batch-normalization`. */
  readonly name: string;
  /** One sentence for help and docs. */
  readonly summary: string;
  readonly group: PassGroup;
  readonly numerics: Numerics;
  /** Which graphs it looks at. */
  readonly scope: 'main-graph' | 'all-graphs';
  /** Opset window of ai.onnx it works in; null is open. */
  readonly opset: readonly [number, number | null];
  readonly options: OptionTable<O>;
  /** Never throws for a graph it cannot improve: it refuses with a reason. */
  run(model: Model, options: O, context: TransformContext): TransformResult | Promise<TransformResult>;
}

/** The factory of a pass: call it with options to get a step for `model.transform`. */
export interface PassFactory<O extends object> {
  (options?: Partial<O>): Transform;
  readonly definition: PassDefinition<O>;
  /** The options with the table's defaults for what is not given. */
  complete(options: Partial<O>): O;
}

/** Turns a definition into a factory whose options default to the table's. */
export function definePass<O extends object>(definition: PassDefinition<O>): PassFactory<O> {
  const defaults = defaultOptions(definition.options);
  const complete = (options: Partial<O>): O => withDefaults(defaults, options);
  const factory = (options: Partial<O> = {}): Transform => ({
    name: definition.name,
    run: (model, context) => definition.run(model, complete(options), context),
  });
  return Object.assign(factory, { definition, complete });
}

/** The default of every option. */
export function defaultOptions<O extends object>(table: OptionTable<O>): O {
  const entries = Object.entries(table as Record<string, OptionRow>).map(([key, row]) => [key, row.default]);
  return Object.fromEntries(entries) as O;
}

/** `undefined` means default. */
function withDefaults<O extends object>(defaults: O, options: Partial<O>): O {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as O;
}
