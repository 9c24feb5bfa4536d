/** What TensorRT will refuse or change, told before minutes of building. */
import type { Model } from '../../ir/model.js';
import { functionKey } from '../../ir/model-function.js';
import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { ValueType } from '../../ir/type.js';
import { allGraphs, allNodes } from '../../ir/walk.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { PARSER_LIMITS } from './parser-limits.js';
import {
  DATA_DEPENDENT,
  FUNCTIONS_SINCE,
  INT64_SINCE,
  NEWEST_OPSET,
  OLDEST_OPSET,
  OPERATOR_SINCE,
  TYPE_SINCE,
} from './parser-operators.js';
import type { GraphTypes } from './plan.js';
import { checkQdqRules, QDQ_RULES } from './qdq-rules.js';
import { formatVersion, isAtLeast, type TensorRtVersion } from './version.js';

export interface PreflightProblem {
  /** `refused`: the build would fail. `warning`: it works, with this to know. */
  readonly severity: 'refused' | 'warning';
  /** Name of the node or value; absent where it is about the whole model. */
  readonly node?: string;
  /** A sentence without the node. */
  readonly message: string;
  /** What to do, with MODEL for the path of the model. */
  readonly mend: string;
}

export interface PreflightOptions {
  /** Libraries of plugins are loaded: operators of other domains may be in them. */
  readonly hasPlugins: boolean;
  /** Bytes of the model file without its external data. */
  readonly fileBytes: number;
}

/** Protobuf messages end at 2 GiB; larger models keep their weights in external data. */
const LARGEST_FILE = 2 ** 31 - 1;

/** Problems in graph order, those of one kind and operator once with their number of nodes. */
export function preflight(
  model: Model,
  version: TensorRtVersion,
  options: PreflightOptions,
): readonly PreflightProblem[] {
  return joined([
    ...modelProblems(model, version, options),
    ...[...allNodes(model)].flatMap((node) => nodeProblems(node, version, options)),
    ...typeProblems(model, version),
    ...quantizationProblems(model, version),
  ]);
}

/** Types in the graph that decide how it is built. */
export function graphTypes(model: Model): GraphTypes {
  let [float16, bfloat16, int8Pairs, float8Pairs] = [false, false, false, false];
  const see = (type: number | undefined): void => {
    if (type === DataType.FLOAT16) float16 = true;
    if (type === DataType.BFLOAT16) bfloat16 = true;
  };
  for (const graph of allGraphs(model)) {
    for (const value of [...graph.inputs, ...graph.outputs]) see(elementType(value.type));
    for (const node of graph.nodes) {
      for (const output of node.outputs) see(elementType(output?.type));
      for (const input of node.inputs) see(input?.tensor?.dataType);
      if (!node.is('DequantizeLinear')) continue;
      const type =
        node.input(0)?.tensor?.dataType ?? elementType(node.input(0)?.type) ?? node.input(2)?.tensor?.dataType;
      if (type === DataType.FLOAT8E4M3FN) float8Pairs = true;
      else int8Pairs = true;
    }
  }
  return { float16, bfloat16, int8Pairs, float8Pairs };
}

function modelProblems(model: Model, version: TensorRtVersion, { fileBytes }: PreflightOptions): PreflightProblem[] {
  const problems: PreflightProblem[] = [];
  const shown = formatVersion(version);
  if (fileBytes > LARGEST_FILE) {
    problems.push({
      severity: 'refused',
      message: 'the model file is larger than 2 GiB, which protobuf does not allow',
      mend: 'store the weights as external data: serve-opt optimize MODEL -o small.onnx',
    });
  }
  const opset = model.opset();
  const newest = NEWEST_OPSET.filter(([since]) => isAtLeast(version, since)).at(-1)?.[1] ?? 13;
  if (opset > newest) {
    problems.push({
      severity: 'warning',
      message: `it is of opset ${opset}, and TensorRT ${shown} supports up to ${newest}`,
      mend: 'export the model with an older opset if the build fails',
    });
  }
  if (opset > 0 && opset < OLDEST_OPSET) {
    problems.push({
      severity: 'warning',
      message: `it is of opset ${opset}, and TensorRT supports ${OLDEST_OPSET} and newer`,
      mend: 'serve-opt optimize MODEL --opset 17',
    });
  }
  if (model.functions.size > 0 && !isAtLeast(version, FUNCTIONS_SINCE)) {
    problems.push({
      severity: 'refused',
      message: `it has local functions, which TensorRT ${shown} does not know`,
      mend: 'serve-opt optimize MODEL --inline-functions',
    });
  }
  return problems;
}

function nodeProblems(node: Node, version: TensorRtVersion, { hasPlugins }: PreflightOptions): PreflightProblem[] {
  const { opType, domain } = node;
  const at = { node: nodeLabel(node) };
  const shown = formatVersion(version);
  if (node.graph.model.functions.has(functionKey(domain, opType, node.overload))) return [];
  if (domain !== '' && domain !== 'ai.onnx') {
    // TensorRT's own operators, by their names.
    if (/^TRT_/.test(opType)) return [];
    const severity = hasPlugins ? 'warning' : 'refused';
    const made = domain === 'com.microsoft';
    return [
      {
        ...at,
        severity,
        message: `TensorRT has no operator ${domain}::${opType}${hasPlugins ? ': a plugin must have it' : ''}`,
        mend: made
          ? 'optimize the original without --operators ort: these operators are those of ONNX Runtime'
          : 'give the library of its plugin: --plugin LIB.so',
      },
    ];
  }
  const since = OPERATOR_SINCE.get(opType);
  if (since === undefined || !isAtLeast(version, since)) {
    const when = since === undefined ? 'no version that serve-opt knows has it' : `it came with TensorRT ${since}`;
    const quantized = /Integer$|^QLinear|^DynamicQuantize/.test(opType);
    return [
      {
        ...at,
        severity: hasPlugins ? 'warning' : 'refused',
        message: `TensorRT ${shown} does not import ${opType}: ${when}`,
        mend: quantized
          ? 'quantize the original with serve-opt quantize MODEL --data samples.npz --for tensorrt'
          : since === undefined
            ? 'serve-opt optimize MODEL may remove it; else give a plugin with --plugin LIB.so'
            : `use TensorRT ${since} or newer, or give a plugin with --plugin LIB.so`,
      },
    ];
  }
  const problems: PreflightProblem[] = [];
  for (const { operators, until, breaks, mend } of PARSER_LIMITS) {
    if (!operators.includes(opType) || (until !== undefined && isAtLeast(version, until))) continue;
    const why = breaks(node);
    if (why !== undefined)
      problems.push({
        ...at,
        severity: 'refused',
        message: `TensorRT ${shown} does not import this ${opType}: ${why}`,
        mend,
      });
  }
  if (DATA_DEPENDENT.has(opType)) {
    problems.push({
      ...at,
      severity: 'warning',
      message: `the size of the output of ${opType} depends on data: buffers are made for the largest case`,
      mend: 'cut the model before it, or use a server that allocates outputs as they come',
    });
  }
  return problems;
}

function typeProblems(model: Model, version: TensorRtVersion): PreflightProblem[] {
  const problems: PreflightProblem[] = [];
  const seen = new Set<string>();
  const check = (type: ValueType | undefined, name: string): void => {
    if (!type) return;
    if (type.kind !== 'tensor') {
      if (seen.has(type.kind)) return;
      seen.add(type.kind);
      problems.push({
        severity: 'refused',
        node: name,
        message: `it is a ${type.kind}, and TensorRT has tensors only`,
        mend: 'serve-opt optimize MODEL may remove it; else export the model without it',
      });
      return;
    }
    const word = dataTypeName(type.dataType);
    if (seen.has(word) || type.dataType === DataType.UNDEFINED) return;
    seen.add(word);
    const since = TYPE_SINCE.get(word);
    if (since === undefined || !isAtLeast(version, since)) {
      problems.push({
        severity: 'refused',
        node: name,
        message: `TensorRT ${formatVersion(version)} has no type ${word}`,
        mend: since === undefined ? 'export the model with another type' : `use TensorRT ${since} or newer`,
      });
    } else if (word === 'int64' && !isAtLeast(version, INT64_SINCE)) {
      problems.push({
        severity: 'warning',
        node: name,
        message: 'INT64 is narrowed to INT32: values beyond 32 bits are clamped',
        mend: `use TensorRT ${INT64_SINCE} or newer if they matter`,
      });
    } else if (word === 'double') {
      problems.push({
        severity: 'warning',
        node: name,
        message: 'DOUBLE is narrowed to FLOAT',
        mend: 'export the model in float32 to see the difference beforehand',
      });
    }
  };
  for (const graph of allGraphs(model)) {
    for (const value of graph.inputs) check(value.type, value.name);
    for (const node of graph.nodes) {
      for (const output of node.outputs) if (output) check(output.type, output.name);
      for (const input of node.inputs) {
        if (input?.tensor) check({ kind: 'tensor', dataType: input.tensor.dataType, shape: undefined }, input.name);
      }
    }
  }
  return problems;
}

function quantizationProblems(model: Model, version: TensorRtVersion): PreflightProblem[] {
  const mend = 'quantize the original with serve-opt quantize MODEL --data samples.npz --for tensorrt';
  const problems = checkQdqRules(model).map(({ rule, node, message }): PreflightProblem => {
    const severity = QDQ_RULES[rule].severity === 'refused' ? 'refused' : 'warning';
    return { severity, node, message: `${message}; in TensorRT ${QDQ_RULES[rule].rule}`, mend };
  });
  if (isAtLeast(version, '10.0')) return problems;
  const direct = [...allNodes(model)].find(
    (node) =>
      node.is('DequantizeLinear') && node.input(0)?.tensor !== undefined && (node.input(1)?.tensor?.size ?? 0) > 0,
  );
  if (direct) {
    problems.push({
      severity: 'refused',
      node: nodeLabel(direct),
      message: 'its weight is an INT8 constant, which TensorRT before 10 cannot import',
      mend: 'give the FP32 model with --precision int8 --data samples.npz: weights then stay in FP32 before a QuantizeLinear',
    });
  }
  return problems;
}

function elementType(type: ValueType | undefined): number | undefined {
  return type?.kind === 'tensor' ? type.dataType : undefined;
}

/** The first problem of each kind, with the number of nodes that have it. */
function joined(problems: readonly PreflightProblem[]): readonly PreflightProblem[] {
  const groups = new Map<string, { readonly first: PreflightProblem; count: number }>();
  for (const problem of problems) {
    const key = `${problem.severity} ${problem.message}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { first: problem, count: 1 });
  }
  return [...groups.values()].map(({ first, count }) =>
    count === 1 ? first : { ...first, message: `${first.message} (${count} nodes)` },
  );
}
