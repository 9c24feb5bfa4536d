import type { Graph } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import type { RewriteContext } from './rewrite.js';
import { rootGraph } from './scopes.js';

/** The domain of ONNX Runtime's own operators; they have been version 1 from the start. */
export const MICROSOFT = 'com.microsoft';

/**
 * Why `opType` of `domain` cannot be written into the model, or undefined: another version of the domain is imported where `at`
 * stands, or a local function has taken the name, so that the node would call it.
 */
export function whyNotAvailable(
  context: RewriteContext,
  at: Node | Graph,
  opType: string,
  domain: string = MICROSOFT,
  version = 1,
): string | undefined {
  const imported = context.opset(at, domain);
  if (imported !== 0 && imported !== version) return `${domain} is imported as version ${imported}`;
  for (const fn of context.model.functions.values())
    if (fn.domain === domain && fn.name === opType) return `the model has a local function named ${domain}.${opType}`;
  return undefined;
}

/**
 * Imports a domain where `at` stands: into the model, and into the local function around it, whose imports are its own.
 * What is imported stays as it is: raising a version is the work of `upgrade-opset`.
 */
export function requireOpset(
  { model }: Pick<RewriteContext, 'model'>,
  at: Node | Graph,
  domain: string = MICROSOFT,
  version = 1,
): void {
  if (!model.opsets.has(domain)) model.setOpset(domain, version);
  const root = rootGraph('nodes' in at ? at : at.graph);
  if (root === model.graph) return;
  for (const fn of model.functions.values())
    if (fn.graph === root && !fn.opsets.has(domain)) fn.opsets.set(domain, version);
}
