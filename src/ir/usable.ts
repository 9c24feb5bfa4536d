import type { Model } from './model.js';

/** Refuses a model whose graph is ambiguous: it can be copied, but not computed with. @throws SO3001, the first fault found while reading */
export function assertUsable(model: Model): void {
  const [problem] = model.problems;
  if (problem) throw problem;
}
