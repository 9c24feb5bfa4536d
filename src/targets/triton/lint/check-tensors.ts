/** Inputs and outputs by themselves (Triton's `ValidateModelInput`, `ValidateModelOutput`, `ValidateBatchIO`). */
import type { ModelConfigPart } from '../../../proto/model-config.js';
import type { ModelView } from './view.js';

type Tensor = ModelConfigPart<'ModelInput'> & ModelConfigPart<'ModelOutput'>;
type Integer = number | bigint;

export function checkTensors(view: ModelView): void {
  const { config } = view;
  for (const kind of ['input', 'output'] as const) {
    for (const [index, tensor] of (config[kind] ?? []).entries()) checkTensor(view, kind, tensor, `${kind}[${index}]`);
  }
  checkBatchTensors(view);
}

function checkTensor(view: ModelView, kind: 'input' | 'output', tensor: Tensor, field: string): void {
  const { name = '', data_type: type, dims = [], reshape, format } = tensor;
  const shown = name === '' ? `${kind} ${field.slice(kind.length + 1, -1)}` : `${kind} "${name}"`;
  const isPlan = view.effective.platform === 'tensorrt_plan';
  if (name === '') view.at('tensor-name', field, `The ${shown} has no name`);
  if (type === undefined || type === 'TYPE_INVALID' || type === 0)
    view.at('tensor-type', field, `The ${shown} has no data_type`);
  else if (typeof type === 'number')
    view.at('tensor-type', `${field}.data_type`, `The ${shown} has the data type ${type}, which does not exist`);
  if (dims.length === 0) {
    view.at('tensor-dims', view.has(`${field}.dims`) ? `${field}.dims` : field, `The ${shown} has no dims`);
  }
  for (const [at, dim] of dims.entries()) {
    if (isBad(dim)) view.at('dimension', `${field}.dims[${at}]`, `The ${shown} has a dimension of ${dim}`);
  }
  if (reshape !== undefined) checkReshape(view, shown, tensor, field);
  if (format !== undefined && format !== 'FORMAT_NONE' && format !== 0 && dims.length !== 3) {
    view.at('format-dims', `${field}.format`, `The ${shown} has ${format} and ${dims.length} dims`);
  }
  if (tensor.is_shape_tensor && !isPlan)
    view.at('tensorrt-only', `${field}.is_shape_tensor`, `The ${shown} is a shape tensor`);
  if (tensor.is_non_linear_format_io) {
    if (!isPlan) view.at('tensorrt-only', `${field}.is_non_linear_format_io`, `The ${shown} has a non-linear format`);
    else if (dims.length !== 3)
      view.at(
        'format-dims',
        `${field}.is_non_linear_format_io`,
        `The ${shown} has a non-linear format and ${dims.length} dims`,
      );
  }
}

function isBad(dim: Integer): boolean {
  return Number(dim) < 1 && Number(dim) !== -1;
}

function checkReshape(view: ModelView, shown: string, { dims = [], reshape }: Tensor, field: string): void {
  const shape = reshape?.shape ?? [];
  const at = `${field}.reshape`;
  for (const [index, dim] of shape.entries()) {
    if (isBad(dim))
      view.at('dimension', `${at}.shape[${index}]`, `The reshape of the ${shown} has a dimension of ${dim}`);
  }
  if (shape.length === 0 && view.maxBatchSize === 0) {
    view.at('reshape-empty', at, `The ${shown} has an empty reshape, and max_batch_size is 0`);
    return;
  }
  if ([...dims, ...shape].some(isBad) || dims.length === 0) return;
  const [from, to] = [dims, shape].map((each) => runs(each));
  const fits = from?.length === to?.length && from?.every((count, index) => count === to?.[index]);
  if (!fits) {
    const text = (each: readonly Integer[]): string => `[${each.join(', ')}]`;
    view.at(
      'reshape-count',
      at,
      `The ${shown} has dims ${text(dims)} and a reshape to ${text(shape)}, which do not have the same elements`,
    );
  }
}

/** Products of the sizes between open dimensions: a reshape must keep each. */
function runs(dims: readonly Integer[]): readonly bigint[] {
  const products = [1n];
  for (const dim of dims) {
    if (Number(dim) === -1) products.push(1n);
    else products[products.length - 1] = (products.at(-1) ?? 1n) * BigInt(dim);
  }
  return products;
}

function checkBatchTensors(view: ModelView): void {
  const { batch_input: inputs = [], batch_output: outputs = [], input = [], output = [] } = view.config;
  const inputNames = new Set(input.map(({ name }) => name));
  const outputNames = new Set(output.map(({ name }) => name));
  const checkSources = (sources: readonly string[], field: string): void => {
    if (sources.length !== 1)
      view.at('batch-tensor', field, `${field} has ${sources.length} source inputs, and must have one`);
    for (const [index, source] of sources.entries()) {
      if (!inputNames.has(source))
        view.at('batch-tensor', `${field}.source_input[${index}]`, `There is no input "${source}"`);
    }
  };
  for (const [index, { data_type: type, source_input: sources = [] }] of inputs.entries()) {
    const field = `batch_input[${index}]`;
    checkSources(sources, field);
    if (type !== 'TYPE_INT32' && type !== 'TYPE_FP32')
      view.at(
        'batch-tensor',
        `${field}.data_type`,
        `${field} has the type ${type ?? 'TYPE_INVALID'}, and must have TYPE_INT32 or TYPE_FP32`,
      );
  }
  for (const [index, { target_name: targets = [], source_input: sources = [] }] of outputs.entries()) {
    const field = `batch_output[${index}]`;
    checkSources(sources, field);
    for (const [at, target] of targets.entries()) {
      const place = `${field}.target_name[${at}]`;
      if (!outputNames.has(target)) view.at('batch-tensor', place, `There is no output "${target}"`);
      else if (targets.indexOf(target) !== at) view.at('batch-tensor', place, `The output "${target}" is there twice`);
    }
  }
}
