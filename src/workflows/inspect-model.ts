import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { readModel } from '../ir/read-model.js';
import { formatType } from '../ir/type.js';
import { assertUsable } from '../ir/usable.js';
import type { Value } from '../ir/value.js';
import { assertValid } from '../ir/verify.js';
import { allNodes } from '../ir/walk.js';
import { breaksRules, checkOperators } from '../ops/check-operators.js';
import { inferTypes } from '../ops/infer-types.js';
import { newestVersion } from '../ops/schema.js';
import { nodeLabel } from '../passes/nodes.js';
import { DYNAMIC_DEFAULTS } from '../passes/quantize/dynamic-options.js';
import { planDynamic } from '../passes/quantize/dynamic-plan.js';
import { planStatic } from '../quantize/plan.js';
import type { SparsityReport } from '../report/sparsity-types.js';
import { type InspectReport, type OpCount, REPORT_SCHEMA_VERSION, type ReportValue } from '../report/types.js';
import { DataType, dataTypeName } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { packageVersion } from '../version.js';
import { describeSparsity, layerWeightBytes } from './describe-sparsity.js';
import type { InContext, InspectOptions, WorkflowContext } from './options.js';
import { withLayersInlined } from './quantize/inlined-functions.js';
import { weightBytes } from './quantize/layer-reports.js';
import { Stages } from './stages.js';
import { type StatedCost, statedCost } from './stated-cost.js';
import { parameterCount, storedTensors } from './stored-tensors.js';
import { WatchedInputs } from './watched-inputs.js';

/**
 * Tells what a model is made of; runs nothing. Of small models, or if asked to, it reads the weights too, and counts zeros.
 * @throws ServeOptError with exit code 3 for a file that is no valid model, naming the byte or the element
 */
export async function inspectModel(
  path: string,
  given: InspectOptions = {},
  context: WorkflowContext = {},
): Promise<InspectReport> {
  const options: InContext<InspectOptions> = { ...given, ...context };
  const stages = new Stages(options);
  stages.start('read');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  const inputs = new WatchedInputs();
  inputs.add(model);
  try {
    return await inputs.during(options.signal, async () => {
      assertUsable(model);
      assertValid(model);
      const stated = statedCost(model, options.dims);
      stages.end();
      const sparsity = (options.zeros ?? hasFewWeights(model)) ? describeSparsity(model) : undefined;
      return await describe(model, path, stated, sparsity);
    });
  } finally {
    model.source?.close();
  }
}

/** Weights of at most this many bytes are read without being asked to: that takes less time than to start. */
const FEW_BYTES = 2 ** 26;

function hasFewWeights(model: Model): boolean {
  return (model.source?.externalPaths() ?? []).length === 0 && layerWeightBytes(model) <= FEW_BYTES;
}

async function describe(
  model: Model,
  path: string,
  { cost, sizes, expression }: StatedCost,
  sparsity: SparsityReport | undefined,
): Promise<InspectReport> {
  const problems = checkOperators(model);
  const inference = inferTypes(model);
  // What `quantize` would take: it inlines functions that hold layers first.
  const inlined = await withLayersInlined(model);
  const plan = planStatic(inlined);
  const dynamic = planDynamic(inlined, DYNAMIC_DEFAULTS, () => true);
  const weights = storedTensors(model);
  const notes: string[] = [];
  if (cost.assumedSymbols.length > 0)
    notes.push(`Multiply-adds count these open sizes as 1: ${cost.assumedSymbols.join(', ')}.`);
  if (cost.empty.length > 0)
    notes.push(
      `${cost.empty.length} of the layers with multiply-adds have empty outputs at these sizes: give other sizes with --dim.`,
    );
  if (cost.countedOnce.length > 0) notes.push('Multiply-adds count the body of each If, Loop and Scan once.');
  if (inference.unknownOps.length > 0)
    notes.push(`Unknown operators are left unchanged: ${inference.unknownOps.join(', ')}.`);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'inspect',
    version: packageVersion(),
    model: modelFile(path, model.source?.externalPaths() ?? []),
    irVersion: model.irVersion,
    opsets: [...model.opsets].map(([domain, version]) => ({ domain, version })),
    producer: { name: model.producerName, version: model.producerVersion },
    inputs: model.graph.inputs.filter((value) => value.tensor === undefined && !value.sparse).map(reportValue),
    outputs: model.graph.outputs.map(reportValue),
    nodes: [...allNodes(model)].length,
    ops: countOps(model),
    parameters: parameterCount(weights),
    weightBytesByType: bytesByType(weights),
    macs: {
      total: cost.macs,
      unknownNodes: cost.unknown.length,
      sizes,
      ...(typeof expression === 'string' ? { expression } : {}),
    },
    quantizable: plan.weighted.map(({ node }) => layer(node)),
    quantizableWithoutData: [...dynamic.jobs.keys()].map(layer),
    notQuantizable: plan.left.map(({ node, reason }) => ({ ...layer(node), reason })),
    ...(sparsity ? { sparsity } : {}),
    problems: problems.map(({ message, location }) => ({ node: location.node ?? '', message })),
    warnings: [
      ...versionWarnings(model),
      ...inference.problems.filter((each) => !breaksRules(each)).map(({ node, reason }) => `${node}: ${reason}`),
    ],
    notes,
  };
}

function modelFile(path: string, dataPaths: readonly string[]): InspectReport['model'] {
  const file = (each: string) => ({ name: basename(each), sizeBytes: statSync(each).size });
  return dataPaths.length === 0 ? file(path) : { ...file(path), externalData: dataPaths.map(file) };
}

const reportValue = (value: Value): ReportValue => ({ name: value.name, type: formatType(value.type) });

const layer = (node: Node) => ({ name: nodeLabel(node), opType: node.opType, weightBytes: weightBytes(node) });

function bytesByType(tensors: readonly Tensor[]): InspectReport['weightBytesByType'] {
  const rows = new Map<number, { tensors: number; bytes: number }>();
  for (const tensor of tensors) {
    const row = rows.get(tensor.dataType) ?? { tensors: 0, bytes: 0 };
    row.tensors++;
    row.bytes += tensor.dataType === DataType.STRING ? 0 : tensor.byteLength;
    rows.set(tensor.dataType, row);
  }
  return [...rows]
    .map(([dataType, row]) => ({ type: dataTypeName(dataType), ...row }))
    .sort((a, b) => b.bytes - a.bytes || (a.type < b.type ? -1 : 1));
}

function countOps(model: Model): OpCount[] {
  const counts = new Map<string, { domain: string; opType: string; count: number }>();
  for (const { domain, opType } of allNodes(model)) {
    const key = `${domain}\u0000${opType}`;
    const row = counts.get(key) ?? { domain, opType, count: 0 };
    row.count++;
    counts.set(key, row);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.domain + a.opType < b.domain + b.opType ? -1 : 1));
}

function versionWarnings(model: Model): string[] {
  const known = newestVersion('');
  return model.opset() > known
    ? [`Opset ${model.opset()} is newer than ${known}, the newest that serve-opt supports.`]
    : [];
}
