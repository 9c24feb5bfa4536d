import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { type Angles, anglesOf } from './rotary-angles.js';
import { type Rotation, rotationAt } from './rotation.js';

const TYPES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16]);

/** A rotation with the cosines and sines of its angles. */
export interface RotationWithAngles {
  readonly rotation: Rotation;
  readonly cos: Angles;
  readonly sin: Angles;
}

/** The rotation that ends at a node, where a RotaryEmbedding may take its place; the reason why not; undefined where there is none. */
export function rotationWithAngles(node: Node, context: RewriteContext): RotationWithAngles | string | undefined {
  const rotation = rotationAt(node, context);
  if (!rotation) return undefined;
  const { x } = rotation;
  const shape = shapeOf(x);
  if (!TYPES.has(dataTypeOf(x) ?? 0)) return 'ONNX Runtime has this operator for float and float16 only';
  const cos = anglesOf(rotation.cos, rotation.isHalf, shape, context);
  const sin = anglesOf(rotation.sin, rotation.isHalf, shape, context);
  if (!cos || !sin) return 'its angles may differ between heads or halves';
  return { rotation, cos, sin };
}
