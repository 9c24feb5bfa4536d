/**
 * Folders of before/after cases (`before.onnx`, `after.ref.onnx`, `case.json`), as other optimizers' tests give them:
 * a right result, with at most the reference's nodes where the reference is right itself. Scored by test name: of
 * near-duplicates the worst counts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readModel } from '../../src/ir/read-model.js';
import { ALLOWED_OPERATORS, type AllowedOperators } from '../../src/passes/levels.js';
import { judgeOptimized, type Tools } from './judge-optimized.js';
import { print, Suite } from './suite.js';

/** What is read of case.json. */
interface CaseFile {
  readonly test?: string;
  readonly passes?: readonly string[] | null;
  readonly ops_before?: Readonly<Record<string, number>>;
  readonly ops_after_ref?: Readonly<Record<string, number>>;
  readonly ref_equal?: boolean;
}

/** References that are not right for every input, or do what no optimization is: fewer nodes than theirs are not wanted. */
const NOT_COPIED: readonly (readonly [tests: RegExp, why: string])[] = [
  [/^test_fuse_pad_into_maxpool_/, 'MaxPool pads with -Inf and not with 0'],
  [/^test_eliminate_nop_monotone_argmax/, 'Exp overflows and underflows, where ArgMax of it ends in a tie'],
  [/_graph_inputs_as_constants$/, 'callers may override the bounds'],
  [/^test_extract_.*function/, 'it puts nodes into functions of a synthetic domain'],
  [/^test_(mul_order_variants_|cast_input_mixed_precision)/, 'SimplifiedLayerNormalization is no operator of ONNX'],
  [/^test_full_rotary_fuses$/, 'it ends in an operator that no runtime has'],
];

/** At least so many of a hundred test names must have no more nodes than the reference. */
const SHARE_WANTED = 95;

/** The folders under one that hold cases, each a suite; itself where it is one. */
export function caseFolders(folder: string): string[] {
  const isCase = (path: string): boolean => existsSync(join(path, 'case.json'));
  const children = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  return [folder, ...children(folder)].filter((path) => children(path).some(isCase)).sort();
}

export async function casesSuite(folder: string, tools: Tools): Promise<Suite> {
  const suite = new Suite(`before/after cases in ${folder}`);
  const scores = new Map(
    ALLOWED_OPERATORS.map((operators) => [operators, { compared: new Map<string, boolean>(), behind: [] as string[] }]),
  );
  const spared = new Map<string, string>();
  let ran = 0;
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name, 'before.onnx');
    if (!existsSync(path)) continue;
    const info = JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as CaseFile;
    const reference = await seededReference(path, tools);
    if (reference) ran++;
    for (const [operators, { compared, behind }] of scores) {
      const options = { operators, growthBytes: Number.POSITIVE_INFINITY, ...(reference ? { reference } : {}) };
      const { failures, nodes } = await judgeOptimized(path, options, tools);
      if (failures.length > 0) suite.fail(`${name} (${operators})`, failures.join('; '));
      else suite.pass();
      const most = comparableNodes(info, operators);
      const test = testName(name, info);
      const notCopied = NOT_COPIED.find(([tests]) => tests.test(test));
      if (most === undefined) continue;
      if (notCopied && nodes > most) {
        spared.set(test, notCopied[1]);
        continue;
      }
      compared.set(test, (compared.get(test) ?? true) && nodes <= most);
      if (nodes > most) behind.push(`${name}: ${nodes} instead of ${most}`);
    }
  }
  for (const [operators, { compared, behind }] of scores) {
    for (const test of spared.keys()) compared.delete(test);
    const good = [...compared.values()].filter((few) => few).length;
    const share = `${good} of ${compared.size} test names have at most the nodes of the reference (${operators})`;
    print(share);
    for (const line of behind) print(`more nodes: ${line}`);
    if (good * 100 >= compared.size * SHARE_WANTED) suite.pass();
    else suite.fail(`${basename(folder)} (${operators})`, `fewer than ${SHARE_WANTED} % of the names`);
  }
  for (const [test, why] of spared) print(`not copied: ${test}, for ${why}`);
  suite.close(` (${ran} originals run here)`);
  return suite;
}

/** Folder names end in -N where a test makes several models; passes are swept under one test name. */
const testName = (folder: string, { test, passes }: CaseFile): string =>
  passes && test !== undefined ? test : folder.replace(/-\d+$/, '');

/** The nodes of the reference, where it is right and keeps to the allowed operators. */
function comparableNodes(info: CaseFile, operators: AllowedOperators): number | undefined {
  if (info.ref_equal !== true || !info.ops_after_ref) return undefined;
  const known = new Set(Object.keys(info.ops_before ?? {}));
  const foreign = Object.keys(info.ops_after_ref).some(
    (op) => /^(com\.microsoft|ai\.onnxruntime)/.test(op) && !known.has(op),
  );
  if (foreign && operators === 'portable') return undefined;
  return Object.values(info.ops_after_ref).reduce((sum, count) => sum + count, 0);
}

async function seededReference(path: string, { runs }: Tools) {
  const model = await readModel(path);
  try {
    const seeded = await runs.seeded(path, model, 1);
    return typeof seeded === 'string' ? undefined : seeded;
  } finally {
    model.source?.close();
  }
}
