import { definePass } from '../pass.js';
import type { ReadyRewrite, RewriteDefinition, RewritePassFactory } from './rewrite.js';
import { runRewrites } from './run-rewrites.js';

/** Turns rules into a pass; on its own it runs to a fixed point. */
export function defineRewrite<O extends object>(definition: RewriteDefinition<O>): RewritePassFactory<O> {
  const ready = (options: O): ReadyRewrite => ({
    name: definition.name,
    roots: definition.roots,
    opset: definition.opset,
    ortOnly: definition.ortOnly ?? false,
    mainGraphOnly: definition.scope === 'main-graph',
    rules: () => definition.rules(options),
  });
  const factory = definePass<O>({
    ...definition,
    async run(model, options, context) {
      const outcome = await runRewrites(model, [[ready(options)]], {
        operators: definition.ortOnly ? 'ort' : 'portable',
        ...(context.signal ? { signal: context.signal } : {}),
      });
      return {
        changed: outcome.applied.length,
        refusals: outcome.refusals.map(({ pass, node, opType, reason }) => ({ pass, node, opType, reason })),
      };
    },
  });
  const withDefaults = (options: Partial<O> = {}): O => factory.complete(options);
  return Object.assign(factory, { ready: (options?: Partial<O>) => ready(withDefaults(options)) });
}
