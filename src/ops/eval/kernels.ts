import { arithmeticKernels } from './arithmetic.js';
import { castKernels } from './cast.js';
import { einsumKernels } from './einsum.js';
import { gatherKernels } from './gather.js';
import { generateKernels } from './generate.js';
import type { Kernel, KernelTable } from './kernel-context.js';
import { layoutKernels } from './layout.js';
import { matmulKernels } from './matmul.js';
import { normalizeKernels } from './normalize.js';
import { orderKernels } from './order.js';
import { padKernels } from './pad.js';
import { reduceKernels } from './reduce.js';
import { scatterKernels } from './scatter.js';
import { selectKernels } from './select.js';
import { signalKernels } from './signal.js';
import { textKernels } from './text.js';
import { unaryKernels } from './unary.js';
import { uniqueKernels } from './unique.js';
import { viewKernels } from './views.js';

/**
 * Every kernel. Random operators, training modes and (de)quantization are left out on purpose, and so are convolutions
 * and other heavy operators.
 */
const TABLES: readonly (readonly [domain: string, table: KernelTable])[] = [
  ['', viewKernels],
  ['', layoutKernels],
  ['', gatherKernels],
  ['', padKernels],
  ['', selectKernels],
  ['', scatterKernels],
  ['', generateKernels],
  ['', castKernels],
  ['', arithmeticKernels],
  ['', unaryKernels],
  ['', reduceKernels],
  ['', orderKernels],
  ['', matmulKernels],
  ['', einsumKernels],
  ['', normalizeKernels],
  ['', signalKernels],
  ['', uniqueKernels],
  ['', textKernels],
];

const kernels: ReadonlyMap<string, Kernel> = new Map(
  TABLES.flatMap(([domain, table]) =>
    table.flatMap(([names, kernel]) => names.split(' ').map((name): [string, Kernel] => [`${domain}:${name}`, kernel])),
  ),
);

/** Tables of kernels that move elements without computing with them: piece by piece, where a result is large. */
const MOVERS: ReadonlySet<string> = new Set(
  [viewKernels, layoutKernels, gatherKernels, padKernels, selectKernels].flatMap((table) =>
    table.flatMap(([names]) => names.split(' ')),
  ),
);

/** Whether an operator of ai.onnx moves elements only. */
export function movesOnly(opType: string): boolean {
  return MOVERS.has(opType) || opType === 'ConstantOfShape' || opType === 'Constant';
}

/** The kernel of an operator of any version, or undefined. */
export function kernelFor(domain: string, opType: string): Kernel | undefined {
  return kernels.get(`${domain}:${opType}`);
}
