import type { Model } from '../../ir/model.js';
import { walkGraphs } from '../../ir/walk.js';
import { WEIGHTED_OPERATORS } from '../../quantize/operator-classes.js';

/** Whether local functions hold layers, whose weights are handed in by their callers. */
export function hasLayersInFunctions(model: Model): boolean {
  for (const { graph } of model.functions.values())
    for (const inner of walkGraphs(graph))
      for (const node of inner.nodes) if (node.domain === '' && WEIGHTED_OPERATORS.has(node.opType)) return true;
  return false;
}

/** The model itself, or a copy with its local functions inlined where they hold layers. */
export async function withLayersInlined(model: Model): Promise<Model> {
  if (!hasLayersInFunctions(model)) return model;
  const { optimizeGraph, optimizeRecipe } = await import('../../passes/optimize-graph.js');
  const inlineFunctions = 'inline-functions';
  const recipe = optimizeRecipe({ level: 'basic', add: [inlineFunctions] });
  const copy = model.clone();
  await optimizeGraph(copy, { recipe: recipe.filter(({ pass }) => pass.definition.name === inlineFunctions) });
  return copy;
}
