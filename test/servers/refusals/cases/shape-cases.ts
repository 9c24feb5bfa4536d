/** Outputs whose declared shape is not the one that ONNX Runtime infers, which is what the server compares with. */
import { io, tensor, X4, Y4 } from '../interface-case.js';
import { one, type ServerCase } from '../server-case.js';

const OPEN = tensor('Y', 'FP32', '-1');
const NO_BATCH = tensor('X', 'FP32', '-1, 4');
const ANY = tensor('X', 'FP32', '1');

export const SHAPE_CASES: readonly ServerCase[] = [
  one(
    'loaded',
    'narrower-inferred',
    'Dims of the output as inferred, the file leaves them open',
    io('narrower', 8, [X4], [Y4]),
  ),
  one(
    'refused',
    'narrower-declared',
    'Open dims of the output as declared, and 4 is inferred',
    io('narrower', 8, [X4], [OPEN]),
  ),
  one(
    'loaded',
    'narrower-completed',
    'The output is left to the server, and 4 is inferred',
    io('narrower', 8, [X4], []),
  ),
  one(
    'loaded',
    'deeper-inferred',
    'Dims of the output as inferred through a tensor with other names',
    io('deeper', 8, [X4], [Y4]),
  ),
  one(
    'refused',
    'deeper-declared',
    'Open dims of the output as declared, and 4 is inferred two nodes before',
    io('deeper', 8, [X4], [OPEN]),
  ),
  one(
    'loaded',
    'reshaped-inferred',
    'A size that follows from arithmetic with shapes',
    io('reshaped', 8, [X4], [tensor('Y', 'FP32', '2, 2')]),
  ),
  one(
    'refused',
    'reshaped-declared',
    'Open dims, and the sizes follow from arithmetic with shapes',
    io('reshaped', 8, [X4], [tensor('Y', 'FP32', '-1, -1')]),
  ),
  one('loaded', 'unshaped-inferred', 'The file has no shape for the output', io('unshaped', 8, [X4], [Y4])),
  one(
    'refused',
    'unshaped-open',
    'Open dims where the file has no shape, and 4 is inferred',
    io('unshaped', 8, [X4], [OPEN]),
  ),
  one(
    'loaded',
    'contradicted-open',
    'The file says 5, 4 is inferred: the server sees an open dimension',
    io('contradicted', 8, [X4], [OPEN]),
  ),
  one(
    'refused',
    'contradicted-declared',
    'Dims as declared, and 4 is inferred',
    io('contradicted', 8, [X4], [tensor('Y', 'FP32', '5')]),
  ),
  one('refused', 'contradicted-inferred', 'Dims as inferred, and the file says 5', io('contradicted', 8, [X4], [Y4])),
  one(
    'refused',
    'rows-inferred',
    'The file leaves the batch of the output open, and 2 is inferred',
    io('rows', 8, [X4], [Y4]),
  ),
  one(
    'loaded',
    'rows-without-batching',
    'A batch of 2 that only inference shows, without batching',
    io('rows', 0, [tensor('X', 'FP32', '2, 4')], [tensor('Y', 'FP32', '2, 4')]),
  ),
  one(
    'loaded',
    'wider-declared',
    'The file says 4, and inference leaves it open',
    io('wider', 8, [tensor('X', 'FP32', '-1')], [Y4]),
  ),
  one(
    'refused',
    'wider-open',
    'Open dims, and the file says 4 where inference leaves it open',
    io('wider', 8, [X4], [OPEN]),
  ),
  one(
    'refused',
    'two-ranks-declared',
    'The file says one dimension, two are inferred',
    io('two-ranks', 0, [NO_BATCH], [OPEN]),
  ),
  one(
    'refused',
    'two-ranks-inferred',
    'Dims as inferred, the file says one dimension',
    io('two-ranks', 0, [NO_BATCH], [tensor('Y', 'FP32', '-1, 4')]),
  ),
  one(
    'loaded',
    'scalar-as-vector',
    'The file says [1] for what is a scalar',
    io('scalar-as-vector', 0, [NO_BATCH], [tensor('Y', 'FP32', '1')]),
  ),
  one(
    'refused',
    'unranked-input',
    'An input without a rank, which the server takes for a scalar',
    io('unranked', 0, [NO_BATCH], [tensor('Y', 'FP32', '-1, 4')]),
  ),
  one(
    'loaded',
    'unranked-as-scalar',
    'Tensors without a rank, and dims [1]',
    io('unranked', 0, [ANY], [tensor('Y', 'FP32', '1')]),
  ),
  one(
    'refused',
    'counted-declared',
    'Open dims of positions, of which there are always two numbers',
    io('counted', 0, [NO_BATCH], [tensor('Y', 'INT64', '-1, -1')]),
  ),
  one(
    'loaded',
    'counted-inferred',
    'Positions, of which there are always two numbers',
    io('counted', 0, [NO_BATCH], [tensor('Y', 'INT64', '2, -1')]),
  ),
];
