import { floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { either, type Operand, op, type Pattern, type PatternMatch, scalar } from '../../engine/pattern.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { nodeLabel, takeOver } from '../../nodes.js';
import { standsFor } from '../../scalar.js';
import { clampOf } from './clamp.js';

/** Clip(x + 3, 0, 6), which is 6 · HardSigmoid(x; 1/6, 1/2). */
const SIX_TIMES = clip(op('Add', ['x', 3]), 6);
const SIXTH = 1 / 6;
const HARD_SIGMOID = op('HardSigmoid', ['x'], {
  name: 'gate',
  where: (node) =>
    standsFor(node.float('alpha', 0.2), SIXTH, DataType.FLOAT) &&
    standsFor(node.float('beta', 0.5), 0.5, DataType.FLOAT),
});

const HARD_SWISHES: readonly Pattern[] = [
  op('Mul', ['x', HARD_SIGMOID]),
  op('Mul', ['x', SIX_TIMES, SIXTH]),
  op('Div', [op('Mul', ['x', SIX_TIMES]), 6]),
  op('Mul', [op('Div', ['x', 6]), SIX_TIMES]),
];

const HARD_SIGMOIDS: readonly Pattern[] = [
  op('Div', [SIX_TIMES, 6]),
  op('Mul', [SIX_TIMES, SIXTH]),
  clip(
    op('Add', [
      either(op('Mul', ['x', scalar(undefined, 'alpha')]), op('Div', ['x', scalar(undefined, 'divisor')])),
      scalar(undefined, 'beta'),
    ]),
    1,
  ),
];

/**
 * x · Clip(x + 3, 0, 6) / 6 = HardSwish(x), before opset 14 x · HardSigmoid(x; 1/6, 1/2); Clip(x + 3, 0, 6) / 6 =
 * HardSigmoid(x; 1/6, 1/2), and Clip(a · x + b, 0, 1) = HardSigmoid(x; a, b). Exporters of MobileNetV3 and PP-OCR write
 * the long forms, which take up to four passes over the data. ONNX Runtime computes HardSwish as HardSigmoid and Mul.
 *
 * Fires for constants of one element, in any order of factors. Refuses values in between that are used elsewhere, and
 * DOUBLE, for which ONNX Runtime has no HardSigmoid. Numerics: reassociates. Reference: Howard et al. 2019 (arXiv
 * 1905.02244), section 5.2; ONNX operators HardSwish-14 and HardSigmoid-6.
 */
export const fuseHardSwish = defineRewrite<object>({
  name: 'fuse-hard-swish',
  summary: 'Fuses Add, Clip, Mul and Div of a hard swish or sigmoid into HardSwish or HardSigmoid.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Mul', 'Div', 'Clip'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const swish = firstPattern(HARD_SWISHES, node, context, (found) => fuseSwish(found, node, context));
  if (typeof swish === 'object') return swish;
  const sigmoid = firstPattern(HARD_SIGMOIDS, node, context, (found) => fuseSigmoid(found, node, context));
  return sigmoid ?? swish;
}

function fuseSwish(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string | undefined {
  const x = found.value('x');
  const { nodes } = found;
  if (context.opset(last) >= 14) {
    const reason = whyNotOfType('HardSwish', context.opset(last), x);
    return reason ?? { nodes, apply: () => takeOver(last, { opType: 'HardSwish', inputs: [x] }) };
  }
  // That is the form wanted already.
  if (found.has('gate')) return undefined;
  const reason = whyNotOfType('HardSigmoid', context.opset(last), x);
  if (reason !== undefined) return reason;
  return {
    nodes,
    apply() {
      const label = nodeLabel(last);
      const gate = last.graph.addNode(
        {
          opType: 'HardSigmoid',
          name: `${label}_HardSigmoid`,
          inputs: [x],
          outputs: [{ name: `${label}_HardSigmoid_output`, type: x.type }],
          attributes: coefficients(SIXTH, 0.5),
        },
        last,
      );
      return takeOver(last, { opType: 'Mul', inputs: [x, gate.output()] });
    },
  };
}

function fuseSigmoid(found: PatternMatch, last: Node, context: RewriteContext): Rewrite | string {
  const x = found.value('x');
  const reason = whyNotOfType('HardSigmoid', context.opset(last), x);
  if (reason !== undefined) return reason;
  const alpha = found.has('divisor') ? 1 / found.number('divisor') : found.has('alpha') ? found.number('alpha') : SIXTH;
  const beta = found.has('beta') ? found.number('beta') : 0.5;
  if (!Number.isFinite(alpha) || !Number.isFinite(beta)) return 'its slope is not finite';
  return {
    nodes: found.nodes,
    apply: () => takeOver(last, { opType: 'HardSigmoid', inputs: [x], attributes: coefficients(alpha, beta) }),
  };
}

const coefficients = (alpha: number, beta: number) => [floatAttribute('alpha', alpha), floatAttribute('beta', beta)];

function clip(of: Operand, high: number): Pattern {
  return op('Clip', [of], {
    moreInputs: true,
    where(node, { context }) {
      const clamp = clampOf(node, context);
      return clamp?.low === 0 && clamp.high === high;
    },
  });
}
