import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { constantTensor } from '../../../ir/walk.js';
import { takeAxes } from '../../../tensor/take-axes.js';
import { addConstant, dropIfUnused } from '../../constants.js';
import { copyMetadata, nodeLabel } from '../../nodes.js';

/**
 * Makes a convolution several, each with a run of its output channels, joined by a Concat: then each run is quantized with a scale of its own.
 * Computes what it computed. The first part keeps the name.
 * @param starts the first channel of each run, ascending from 0
 * @returns the parts; undefined, and nothing changed, for groups and for weights that are not constant
 */
export function splitHead(node: Node, starts: readonly number[]): Node[] | undefined {
  const [data, weightValue, biasValue] = [node.input(0), node.input(1), node.input(2)];
  const [weight, bias] = [constantTensor(weightValue), constantTensor(biasValue)];
  const isPlain = node.is('Conv') && node.int('group', 1) === 1 && (!biasValue || bias);
  if (!isPlain || !data || !weight || !weightValue || starts.length < 2) return undefined;
  const { graph } = node;
  const channels = weight.dims[0] as number;
  const output = node.output();
  const { type } = output;
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  const parts = starts.map((from, part) => {
    const until = starts[part + 1] ?? channels;
    const kept = Int32Array.from({ length: until - from }, (_, at) => from + at);
    const inputs = [
      data,
      addConstant(graph, `${weightValue.name}_part${part}`, takeAxes(weight, [kept]), node),
      ...(bias && biasValue ? [addConstant(graph, `${biasValue.name}_part${part}`, takeAxes(bias, [kept]), node)] : []),
    ];
    const made = graph.addNode(
      {
        opType: 'Conv',
        name: part === 0 ? node.name : `${nodeLabel(node)}_part${part}`,
        inputs,
        outputs: [
          {
            name: `${output.name}_part${part}`,
            type:
              type?.kind === 'tensor' && shape
                ? { ...type, shape: shape.map((dim, axis) => (axis === 1 ? kept.length : dim)) }
                : type,
          },
        ],
        attributes: [...node.attributes.values()],
      },
      node,
    );
    copyMetadata(node, made);
    return made;
  });
  node.setOutput(0, undefined);
  graph.addNode(
    {
      opType: 'Concat',
      name: `${nodeLabel(node)}_parts`,
      inputs: parts.map((part) => part.output()),
      outputs: [output],
      attributes: [attribute('axis', 1)],
    },
    node,
  );
  graph.remove(node);
  for (const value of [weightValue, biasValue]) if (value) dropIfUnused(value);
  return parts;
}
