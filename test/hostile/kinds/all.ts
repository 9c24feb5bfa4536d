import type { HostileKind } from '../kind.js';
import { ATTRIBUTES, FUNCTIONS } from './attributes.js';
import { EXTERNAL } from './external.js';
import { FILES } from './files.js';
import { GRAPHS, VERSIONS } from './graphs.js';
import { HOSTILE_NAMES } from './names.js';
import { NESTING } from './nesting.js';
import { NOT_ONNX } from './not-onnx.js';
import { RARE } from './rare.js';
import { TENSORS } from './tensors.js';
import { WIRE_DAMAGE } from './wire-damage.js';

/** Every kind of hostile or rare input that is tested, in groups. */
export const KINDS: readonly HostileKind[] = [
  ...NOT_ONNX,
  ...WIRE_DAMAGE,
  ...RARE,
  ...HOSTILE_NAMES,
  ...NESTING,
  ...TENSORS,
  ...GRAPHS,
  ...VERSIONS,
  ...ATTRIBUTES,
  ...FUNCTIONS,
  ...EXTERNAL,
  ...FILES,
];
