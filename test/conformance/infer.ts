/**
 * Compares `inferTypes` with what scripts/dump-onnx-types.py wrote of the same models.
 *
 *     node infer.js REFERENCE.jsonl [--weaker]
 *
 * wrong: element types, ranks or sizes contradict the reference (or the outputs the model declares).
 * weaker: the reference knows a type, rank or number where we know nothing. stronger: the other way round.
 */
import { readFileSync } from 'node:fs';
import { readModel } from '../../src/ir/read-model.js';
import { formatType, type ValueType } from '../../src/ir/type.js';
import { walkGraphs } from '../../src/ir/walk.js';
import { inferTypes } from '../../src/ops/infer-types.js';

type Described = readonly [elemType: number | string | null, dims: readonly (number | string | null)[] | null];

interface Reference {
  readonly model: string;
  readonly values: Readonly<Record<string, Described>>;
  readonly outputs: Readonly<Record<string, Described>>;
}

export interface Comparison {
  readonly verdict: 'wrong' | 'weaker' | 'stronger' | 'same';
  readonly text: string;
}

/** How our type of a value stands against a described one. */
export function compareType(ours: ValueType | undefined, [elemType, dims]: Described): Comparison {
  const text = `ours ${formatType(ours)}, theirs ${elemType} ${JSON.stringify(dims)}`;
  const known = typeof elemType === 'string' ? elemType.replace('_type', '') : (elemType ?? 0);
  if (!ours) return { verdict: known === 0 ? 'same' : 'weaker', text };
  if (ours.kind !== 'tensor' && ours.kind !== 'sparse_tensor')
    return { verdict: ours.kind === known ? 'same' : known === 0 ? 'stronger' : 'wrong', text };
  if (known !== 0 && ours.dataType !== known) return { verdict: 'wrong', text };
  if (!dims) return { verdict: ours.shape ? 'stronger' : 'same', text };
  if (!ours.shape) return { verdict: 'weaker', text };
  if (ours.shape.length !== dims.length) return { verdict: 'wrong', text };
  let verdict: Comparison['verdict'] = 'same';
  for (const [axis, theirs] of dims.entries()) {
    const dim = ours.shape[axis];
    if (typeof dim === 'number' && typeof theirs === 'number' && dim !== theirs) return { verdict: 'wrong', text };
    if (typeof theirs === 'number' && typeof dim !== 'number') verdict = 'weaker';
    else if (typeof dim === 'number' && typeof theirs !== 'number' && verdict === 'same') verdict = 'stronger';
  }
  return { verdict, text };
}

async function main(args: readonly string[]): Promise<void> {
  const [file] = args;
  if (file === undefined) throw new Error('usage: infer.js REFERENCE.jsonl [--weaker]');
  const counts = new Map<string, number>();
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const reference = JSON.parse(line) as Reference;
    const model = await readModel(reference.model);
    const given = new Set(model.graph.inputs);
    for (const graph of walkGraphs(model.graph)) {
      if (graph !== model.graph) continue;
      for (const value of graph.values.values())
        if (!given.has(value) && !graph.initializers.has(value)) value.inferType(undefined);
    }
    const start = performance.now();
    const report = inferTypes(model);
    const millis = performance.now() - start;
    if (millis > 200) process.stdout.write(`slow ${millis.toFixed(0)} ms ${reference.model}\n`);
    for (const { node, opType, value, reason } of report.problems)
      process.stdout.write(`problem ${reference.model}: ${opType} ${node} ${value ?? ''}: ${reason}\n`);
    for (const op of report.unknownOps) count(`unknown op ${op}`);
    for (const [kind, described] of [
      ['inferred', reference.values],
      ['declared', reference.outputs],
    ] as const) {
      for (const [name, theirs] of Object.entries(described)) {
        const value = model.graph.values.get(name);
        if (!value || given.has(value)) continue;
        const { verdict, text } = compareType(value.type, theirs);
        count(`${kind} ${verdict}`);
        if (verdict === 'wrong' || (verdict === 'weaker' && args.includes('--weaker')))
          process.stdout.write(
            `${verdict} ${kind} ${value.producer?.opType} "${name}" in ${reference.model}: ${text}\n`,
          );
      }
    }
    model.source?.close();
  }
  for (const [key, number] of [...counts].sort()) process.stdout.write(`${key}: ${number}\n`);
}

if (process.argv[1]?.endsWith('infer.js')) await main(process.argv.slice(2));
