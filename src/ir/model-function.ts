import type { Attribute } from './attribute.js';
import type { Graph } from './graph.js';

/** A local function (FunctionProto). Its body is a Graph whose inputs and outputs are the parameters. */
export interface ModelFunction {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly graph: Graph;
  /** Attribute parameters without default. */
  readonly attributeNames: readonly string[];
  /** Attribute parameters with default. */
  readonly attributeDefaults: readonly Attribute[];
  /** The function's own imports, by domain ('' is ai.onnx). An edit may add one. */
  readonly opsets: Map<string, number>;
  readonly origin: object | undefined;
}

/** The key a node's (domain, opType, overload) is looked up by. */
export function functionKey(domain: string, name: string, overload: string): string {
  return `${domain}\u0000${name}\u0000${overload}`;
}
