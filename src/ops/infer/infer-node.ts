import type { Node } from '../../ir/node.js';
import type { ValueType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { opSchema } from '../schema.js';
import { bindTypes } from './bind.js';
import { RuleContext } from './context.js';
import type { Elements } from './elements.js';
import { ruleFor } from './rules.js';

/** What is to be taken for true of the inputs of a node. */
export interface InputFacts {
  typeOf(value: Value): ValueType | undefined;
  elementsOf(value: Value): Elements | undefined;
}

/**
 * The types that the outputs of one node would have if its inputs were as told, whatever stands in the graph now: what
 * passes ask before they move an operator. Undefined where that cannot be known: no schema, attributes that refer to
 * those of a local function, subgraphs.
 */
export function inferNodeTypes(node: Node, opsetVersion: number, facts: InputFacts): (ValueType | undefined)[] {
  const schema = opSchema(node.domain, node.opType, opsetVersion);
  const kinds = [...node.attributes.values()].map(({ value }) => value.kind);
  if (!schema || kinds.some((kind) => kind === 'reference' || kind === 'graph' || kind === 'graphs'))
    return node.outputs.map(() => undefined);
  const types = node.inputs.map((value) => value && facts.typeOf(value));
  const { outputs } = bindTypes(schema, types, node.outputs.length);
  let contradictory = false;
  const context = new RuleContext(
    {
      typeOf: facts.typeOf,
      elementsOf: facts.elementsOf,
      resolve: (attribute) => attribute?.value,
      inferSubgraph: () => ({ types: [], elements: [] }),
      measuring: false,
      repeats: () => {},
      report: () => {
        contradictory = true;
      },
    },
    node,
    schema,
    outputs,
  );
  ruleFor(schema.domain, schema.opType)?.(context);
  return node.outputs.map((_, index) => (contradictory ? undefined : context.outputType(index)));
}
