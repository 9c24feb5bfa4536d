import type { AttributeValue, Int64 } from '../ir/attribute.js';
import type { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';
import type { Tensor } from '../tensor/tensor.js';
import type { OpSchema } from './schema.js';

const utf8 = new TextDecoder();

/** The attributes of a node as one version of its operator reads them: an absent one has the schema's default. */
export class NodeAttributes {
  readonly node: Node;
  readonly schema: OpSchema;

  constructor(node: Node, schema: OpSchema) {
    this.node = node;
    this.schema = schema;
  }

  /** The operator set version that brought this version of the operator: what rules compare with. */
  get since(): number {
    return this.schema.sinceVersion;
  }

  attribute(name: string): AttributeValue | undefined {
    return this.node.attributes.get(name)?.value;
  }
  hasAttribute(name: string): boolean {
    return this.node.attributes.has(name);
  }
  /** An int attribute, the schema's default when absent, or undefined. */
  int(name: string): number | undefined {
    const value = this.attribute(name);
    if (value?.kind === 'int') return Number(value.value);
    return this.#default(name, 'number');
  }
  /** A float attribute, the schema's default (rounded to float32, as the attribute would be) when absent, or undefined. */
  float(name: string): number | undefined {
    const value = this.attribute(name);
    if (value?.kind === 'float') return value.value;
    const fallback = this.#default(name, 'number');
    return fallback === undefined ? undefined : Math.fround(fallback);
  }
  string(name: string): string | undefined {
    const value = this.attribute(name);
    if (value?.kind === 'string') return utf8.decode(value.value);
    return this.#default(name, 'string');
  }
  ints(name: string): number[] | undefined {
    const value = this.attribute(name);
    return value?.kind === 'ints' ? value.value.map((item: Int64) => Number(item)) : undefined;
  }
  floats(name: string): readonly number[] | undefined {
    const value = this.attribute(name);
    return value?.kind === 'floats' ? value.value : undefined;
  }
  /** Length of a list attribute; 0 when absent. */
  listLength(name: string): number {
    const value = this.attribute(name);
    return Array.isArray(value?.value) ? value.value.length : 0;
  }
  tensorAttribute(name: string): Tensor | undefined {
    const value = this.attribute(name);
    return value?.kind === 'tensor' ? value.value : undefined;
  }
  graph(name: string): Graph | undefined {
    const value = this.attribute(name);
    return value?.kind === 'graph' ? value.value : undefined;
  }

  #default(name: string, type: 'number'): number | undefined;
  #default(name: string, type: 'string'): string | undefined;
  #default(name: string, type: 'number' | 'string'): number | string | undefined {
    const fallback = this.schema.attributes.get(name)?.default;
    if (this.hasAttribute(name) || typeof fallback !== type) return undefined;
    return fallback as number | string;
  }
}
