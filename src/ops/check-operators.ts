import type { AttributeKind, AttributeValue } from '../ir/attribute.js';
import type { Graph } from '../ir/graph.js';
import type { Model } from '../ir/model.js';
import { functionKey } from '../ir/model-function.js';
import type { Node } from '../ir/node.js';
import { nodeLabel, type Problem, ProblemList } from '../ir/problem.js';
import { walkGraphs } from '../ir/walk.js';
import { type InferenceProblem, inferTypes } from './infer-types.js';
import { inputArity, inputParameter, newestVersion, type OpSchema, opSchema, outputArity } from './schema.js';

/** Domains whose rules ONNX itself sets. Others change with each runtime, and are left to it. */
const CHECKED_DOMAINS: ReadonlySet<string> = new Set(['', 'ai.onnx.ml']);

/**
 * What in a model breaks the rules of its operators, as their schemas at the imported versions have them: attributes that an
 * operator does not have, lacks or has of another type, too few or too many inputs and outputs, element types that
 * cannot be, sizes that cannot be. Operators of other domains, of versions that are not known here, and local functions
 * in their place are left alone; so are shapes that the file declares, which may be stale.
 * @returns at most 100 problems, each with the node's name
 */
export function checkOperators(model: Model): Problem[] {
  const list = new ProblemList();
  checkBody(model, model.graph, model.opsets, list);
  for (const fn of model.functions.values()) checkBody(model, fn.graph, fn.opsets, list);
  // A copy, since types are kept with the values.
  const { problems } = inferTypes(model.clone());
  if (isNewer(model.opsets, '')) return list.problems;
  for (const problem of problems) {
    if (!breaksRules(problem)) continue;
    const { node, opType, reason, value } = problem;
    const what = value === undefined || value === node ? '' : `, output "${value}"`;
    list.add(`Node "${node}" (${opType})${what}: ${reason}`, { node }, 'SO3004');
  }
  return list.problems;
}

/**
 * Whether a contradiction is one that an operator does not allow. Shapes that a file declares may be stale, and exporters leave
 * branches that cannot be run, for inputs of another rank.
 */
export function breaksRules({ opType, kind, nested }: InferenceProblem): boolean {
  return opType !== '' && (kind === 'type' || (kind === 'size' && !nested));
}

function checkBody(model: Model, body: Graph, opsets: ReadonlyMap<string, number>, list: ProblemList): void {
  for (const graph of walkGraphs(body)) {
    for (const node of graph.nodes) {
      if (list.full) return;
      const schema = checkedSchema(model, node, opsets);
      if (!schema) continue;
      for (const reason of [...attributeProblems(node, schema), ...arityProblems(node, schema)]) {
        const label = nodeLabel(node);
        list.add(`Node "${label}" (${node.opType}): ${reason}`, { graph: graph.name, node: label }, 'SO3004');
      }
    }
  }
}

/** The rules that a node has to keep; undefined where they are not known, or not ONNX's. */
function checkedSchema(model: Model, node: Node, opsets: ReadonlyMap<string, number>): OpSchema | undefined {
  const { domain, opType, overload } = node;
  if (!CHECKED_DOMAINS.has(domain) || isNewer(opsets, domain)) return undefined;
  if (model.functions.has(functionKey(domain, opType, overload))) return undefined;
  const version = opsets.get(domain) ?? (domain === '' && model.irVersion < 3 ? 1 : undefined);
  return version === undefined ? undefined : opSchema(domain, opType, version);
}

function isNewer(opsets: ReadonlyMap<string, number>, domain: string): boolean {
  return (opsets.get(domain) ?? 0) > newestVersion(domain);
}

function attributeProblems(node: Node, schema: OpSchema): string[] {
  const problems: string[] = [];
  const of = `${schema.opType} of opset ${schema.sinceVersion}`;
  for (const { name, value } of node.attributes.values()) {
    // Names that begin so are a runtime's own notes.
    if (name.startsWith('__')) continue;
    const known = schema.attributes.get(name);
    if (!known) {
      problems.push(`attribute "${name}" is unknown to ${of}`);
      continue;
    }
    const kind = kindOf(value);
    if (kind !== undefined && kind !== known.kind)
      problems.push(`attribute "${name}" must be of type ${known.kind}, but is ${kind}`);
  }
  for (const { name, required } of schema.attributes.values())
    if (required && !node.attributes.has(name)) problems.push(`attribute "${name}" is required by ${of}, but missing`);
  return problems;
}

/** The type of an attribute; undefined where only a call of the function around it tells, or a later ONNX. */
function kindOf(value: AttributeValue): AttributeKind | undefined {
  if (value.kind === 'reference') return value.declared;
  return value.kind === 'opaque' ? undefined : value.kind;
}

function arityProblems(node: Node, schema: OpSchema): string[] {
  const problems: string[] = [];
  for (const [what, count, { min, max }] of [
    ['input', node.inputs.length, inputArity(schema)],
    ['output', node.outputs.length, outputArity(schema)],
  ] as const) {
    const expected = min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
    if (count < min || count > max)
      problems.push(`it has ${count} ${what}${count === 1 ? '' : 's'}, but ${schema.opType} takes ${expected}`);
  }
  node.inputs.forEach((value, slot) => {
    const parameter = inputParameter(schema, slot);
    if (value === undefined && parameter?.option === 'required')
      problems.push(`input "${parameter.name}" is required, but missing`);
  });
  return problems;
}
