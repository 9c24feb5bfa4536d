import type { Rule, RuleTable } from './context.js';
import { controlRules } from './control.js';
import { convolutionRules } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import { generateRules } from './generate.js';
import { indexRules } from './indexing.js';
import { layoutRules } from './layout.js';
import { matmulRules } from './matmul.js';
import { microsoftRules } from './microsoft.js';
import { mlRules } from './ml.js';
import { quantizedRules } from './quantized.js';
import { recurrentRules } from './recurrent.js';
import { reduceRules } from './reduce.js';
import { resizeRules } from './resize.js';
import { sequenceRules } from './sequence.js';
import { signalRules } from './signal.js';
import { previewRules, visionRules } from './vision.js';

const TABLES: readonly (readonly [domain: string, table: RuleTable])[] = [
  ['', elementwiseRules],
  ['', layoutRules],
  ['', indexRules],
  ['', convolutionRules],
  ['', resizeRules],
  ['', matmulRules],
  ['', reduceRules],
  ['', generateRules],
  ['', recurrentRules],
  ['', quantizedRules],
  ['', sequenceRules],
  ['', controlRules],
  ['', signalRules],
  ['', visionRules],
  ['ai.onnx.preview', previewRules],
  ['ai.onnx.ml', mlRules],
  ['com.microsoft', microsoftRules],
];

const rules: ReadonlyMap<string, Rule> = new Map(
  TABLES.flatMap(([domain, table]) =>
    table.flatMap(([names, rule]) => names.split(' ').map((name): [string, Rule] => [`${domain}:${name}`, rule])),
  ),
);

/** The rule of an operator of any version, or undefined: then only the schema speaks, and shapes stay open. */
export function ruleFor(domain: string, opType: string): Rule | undefined {
  return rules.get(`${domain}:${opType}`);
}
