import type { Tensor } from '../../tensor/tensor.js';
import type { AttributeKind, AttributeValue } from '../attribute.js';
import type { ValueType } from '../type.js';

/** What the text says, before names are looked up. `at` fields are offsets into the text, for messages. */

export interface NameSyntax {
  readonly name: string;
  readonly at: number;
}

export interface ValueSyntax extends NameSyntax {
  readonly type: ValueType | undefined;
  /** The value after `=`. */
  readonly tensor: Tensor | undefined;
}

export type AttributeSyntax = NameSyntax &
  (
    | { readonly kind: 'plain'; readonly value: AttributeValue }
    | { readonly kind: Extract<AttributeKind, 'graph' | 'graphs'>; readonly graphs: readonly GraphSyntax[] }
  );

export interface NodeSyntax {
  readonly name: string;
  readonly domain: string;
  readonly opType: string;
  readonly overload: string;
  readonly outputs: readonly NameSyntax[];
  readonly inputs: readonly NameSyntax[];
  readonly attributes: readonly AttributeSyntax[];
  readonly at: number;
}

export interface GraphSyntax {
  readonly name: string;
  readonly at: number;
  readonly inputs: readonly ValueSyntax[];
  readonly outputs: readonly ValueSyntax[];
  /** Initializers and types of inner values, in the order given. */
  readonly values: readonly ValueSyntax[];
  readonly nodes: readonly NodeSyntax[];
}

export interface FunctionSyntax {
  readonly domain: string;
  readonly overload: string;
  readonly docString: string;
  readonly opsets: Map<string, number>;
  readonly attributeNames: readonly string[];
  readonly attributeDefaults: readonly AttributeSyntax[];
  readonly graph: GraphSyntax;
}

/** The default operator set is spelt '' or 'ai.onnx'; the IR knows only ''. */
export function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}
