/**
 * 16-bit floats as a device has them, in a model that any runtime computes in FLOAT. ONNX Runtime's CPU provider has few
 * FLOAT16 kernels and fuses what lies between two of them, so that its results say little about a GPU.
 */
import { attribute } from '../ir/attribute.js';
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { tensorType } from '../ir/type.js';
import type { Value } from '../ir/value.js';
import { constantNodeTensor, walkGraphs } from '../ir/walk.js';
import { bfloat16ToFloat32 } from '../tensor/bfloat16.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';
import { float16ToFloat32 } from '../tensor/float16.js';
import { bytesOf, Tensor, typedView } from '../tensor/tensor.js';

/** Constants of at least this many bytes stay FLOAT16 in the file, and a Cast makes FLOAT of them. */
const LARGE_BYTES = 64 * 1024;

/** Operators whose result is one of the numbers they are given, so that rounding it again changes nothing. */
const KEEPS_VALUES = new Set([
  ...['Identity', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Expand', 'Tile', 'Slice', 'Gather'],
  ...['GatherElements', 'GatherND', 'Concat', 'Split', 'DepthToSpace', 'SpaceToDepth', 'Relu', 'MaxPool'],
  ...['GlobalMaxPool', 'Where', 'Max', 'Min', 'ReduceMax', 'ReduceMin', 'Neg', 'Abs', 'TopK', 'Constant'],
]);

/** Attributes that say the element type of what a node makes. */
const TYPE_ATTRIBUTES = ['to', 'dtype'] as const;

/**
 * Gives every FLOAT16 and BFLOAT16 value of the main graph and its subgraphs the type FLOAT, and rounds what nodes compute to that type by
 * a pair of Casts: overflow gives infinities, underflow subnormals and zero. Weights keep the numbers they were rounded to.
 * FLOAT16 inputs and outputs of the model become FLOAT; inputs are rounded first.
 *
 * Needs types (`inferTypes`). What happens inside one operator, such as the sum of a MatMul, stays in the precision of the
 * runtime. Run the result with graph optimizations off. Changes `model`; give it a clone.
 * @returns the number of values that are rounded
 */
export function emulateFloat16(model: Model): number {
  let rounded = 0;
  const graphs = [...walkGraphs(model.graph)];
  for (const graph of graphs) {
    for (const value of [...graph.values.values()]) {
      if (value.producer || !isHalf(value)) continue;
      if (value.tensor && !value.isGraphInput) widenInitializer(graph, value);
      else if (graph === model.graph) {
        widenInput(graph, value);
        rounded++;
      } else value.type = withType(value, DataType.FLOAT);
    }
    for (const node of [...graph.nodes]) rounded += widenNode(node);
  }
  return rounded;
}

const HALVES: ReadonlySet<number> = new Set([DataType.FLOAT16, DataType.BFLOAT16]);

function isHalf(value: Value | undefined): value is Value {
  return value !== undefined && HALVES.has(typeOf(value));
}

function typeOf({ tensor, type }: Value): DataTypeCode {
  return tensor?.dataType ?? (type?.kind === 'tensor' ? type.dataType : DataType.UNDEFINED);
}

function withType(value: Value, dataType: DataTypeCode): ReturnType<typeof tensorType> {
  return tensorType(dataType, value.type?.kind === 'tensor' ? value.type.shape : value.tensor?.dims);
}

function widened(tensor: Tensor): Tensor {
  const bits = typedView(Uint16Array, tensor.bytes());
  const numbers = new Float32Array(bits.length);
  if (tensor.dataType === DataType.BFLOAT16) bfloat16ToFloat32(bits, numbers);
  else float16ToFloat32(bits, numbers);
  return Tensor.of(DataType.FLOAT, tensor.dims, bytesOf(numbers));
}

/** A Cast of `input` to `to`, before `before`. */
function cast(input: Value, to: DataTypeCode, before: Node | undefined, output?: Value): Value {
  const node = input.graph.addNode(
    {
      opType: 'Cast',
      inputs: [input],
      outputs: [
        output ?? { name: `${input.name}_${to === DataType.FLOAT ? 'wide' : 'half'}`, type: withType(input, to) },
      ],
      attributes: [attribute('to', to)],
    },
    before,
  );
  return node.output();
}

function widenInitializer(graph: Graph, value: Value): void {
  const { tensor } = value;
  if (!tensor) return;
  if (tensor.byteLength < LARGE_BYTES || value.isGraphOutput) {
    value.tensor = widened(tensor);
    value.type = withType(value, DataType.FLOAT);
    return;
  }
  const uses = [...value.uses];
  const wide = cast(value, DataType.FLOAT, graph.nodes.first);
  for (const use of uses) use.node.setInput(use.slot, wide);
}

/** An input of the model: callers give FLOAT, which is rounded. */
function widenInput(graph: Graph, value: Value): void {
  const narrow = typeOf(value);
  if (value.tensor) value.tensor = widened(value.tensor);
  value.type = withType(value, DataType.FLOAT);
  const uses = [...value.uses];
  const first = graph.nodes.first;
  const wide = cast(cast(value, narrow, first), DataType.FLOAT, first);
  for (const use of uses) use.node.setInput(use.slot, wide);
}

/** Gives the number of outputs that are rounded. */
function widenNode(node: Node): number {
  const halves = node.outputs.filter(isHalf);
  if (halves.length === 0) return 0;
  if (node.is('Constant')) {
    const tensor = constantNodeTensor(node);
    if (tensor) node.setAttribute(attribute('value', widened(tensor)));
  }
  if (node.is('ConstantOfShape')) {
    const fill = node.tensor('value');
    if (fill) node.setAttribute(attribute('value', widened(fill)));
  }
  for (const name of TYPE_ATTRIBUTES) {
    if (HALVES.has(node.int(name, 0))) node.setAttribute(attribute(name, DataType.FLOAT));
  }
  const types = halves.map(typeOf);
  for (const value of halves) value.type = withType(value, DataType.FLOAT);
  // Bodies round what they give out themselves.
  if (node.is('ConstantOfShape') || node.subgraphs().length > 0) return 0;
  if (node.domain === '' && KEEPS_VALUES.has(node.opType)) return 0;
  for (const [at, value] of halves.entries()) round(node, value, types[at] as DataTypeCode);
  return halves.length;
}

/** What the node gave goes through the narrow type; the value keeps its name. */
function round(node: Node, value: Value, narrow: DataTypeCode): void {
  const { graph } = value;
  const exact = graph.newValue(graph.model.freshName(`${value.name}_exact`), withType(value, DataType.FLOAT));
  node.setOutput(value.outputIndex, exact);
  const before = node.next;
  cast(cast(exact, narrow, before), DataType.FLOAT, before, value);
}
