/** A configuration against the ONNX file beside it (`ModelInstanceState::ValidateInputs`, `CompareDimsSupported`). */
import { suggest } from '../../../suggest.js';
import { type ControlTensor, controlTensors } from './check-sequences.js';
import type { OnnxFacts, TensorFacts } from './facts.js';
import { batches } from './onnx-completion.js';
import type { ModelView } from './view.js';

export function checkOnnx(view: ModelView): void {
  for (const version of view.effective.versions.loaded) {
    const facts = view.onnxOf(version);
    if (facts !== undefined) checkVersion(view, facts, `${version}/${view.effective.file ?? 'model.onnx'}`);
  }
}

function checkVersion(view: ModelView, facts: OnnxFacts, path: string): void {
  if (facts.problem !== undefined) {
    view.on('onnx-file', path, facts.problem);
    return;
  }
  for (const operator of facts.unknownOperators) checkOperator(view, operator, path);
  for (const [kind, tensors] of [
    ['input', [...facts.inputs, ...facts.defaults]],
    ['output', facts.outputs],
  ] as const) {
    for (const tensor of tensors) {
      if (!tensor.isTensor)
        view.on('onnx-type', path, `The ${kind} "${tensor.name}" of the model is ${tensor.typeText}`);
      else if (tensor.type === undefined && (view.isCompleted || kind === 'input')) {
        view.on('onnx-type', path, `The ${kind} "${tensor.name}" of the model has the type ${tensor.typeText}`);
      }
    }
  }
  if (view.isCompleted) checkCompletion(view, facts);
  checkInputs(view, facts);
  for (const [index, output] of (view.config.output ?? []).entries()) {
    const tensor = findTensor(view, facts.outputs, 'output', output.name ?? '', `output[${index}]`);
    const isScattered = view.config.batch_output?.some(({ target_name: names = [] }) =>
      names.includes(output.name ?? ''),
    );
    if (tensor !== undefined) compare(view, tensor, 'output', index, isScattered === true);
  }
}

function checkOperator(view: ModelView, operator: string, path: string): void {
  const [domain = '', name = operator] = operator.split('::');
  const hasLibrary = (view.config.model_operations?.op_library_filename ?? []).length > 0;
  if (hasLibrary && domain !== '' && domain !== 'ai.onnx') return;
  view.on(
    'onnx-operator',
    path,
    `The model has the operator ${name}${domain === '' ? '' : ` of ${domain}`}, which ONNX Runtime does not have`,
  );
}

function checkCompletion(view: ModelView, facts: OnnxFacts): void {
  const given = view.config.max_batch_size;
  if (batches(facts)) {
    if (given === 0 && view.has('max_batch_size')) {
      view.at(
        'max-batch-completed',
        'max_batch_size',
        'max_batch_size is 0, and inputs or outputs are left to Triton, which sets it to 4',
      );
    }
  } else if ((given ?? 0) > 0) {
    const fixed = [...facts.inputs, ...facts.outputs].find(({ dims, isTensor }) => isTensor && dims?.[0] !== -1);
    if (fixed === undefined) return;
    view.at(
      'batch-fixed',
      'max_batch_size',
      `max_batch_size is ${given}, and "${fixed.name}" of the model has the shape ${shapeText(fixed.dims)}`,
    );
  }
}

function checkInputs(view: ModelView, facts: OnnxFacts): void {
  const { config } = view;
  const given = config.input ?? [];
  const controls = controlTensors(view);
  const states = config.sequence_batching?.state ?? [];
  const all = [...facts.inputs, ...facts.defaults];
  const batchTargets = (config.batch_input ?? []).flatMap(({ target_name: names = [] }, index) =>
    names.map((name) => ({ name, field: `batch_input[${index}]` })),
  );
  const special = new Set([...controls.map(({ name }) => name), ...states.map(({ input_name: name = '' }) => name)]);
  const named = new Set([...given, ...batchTargets].map(({ name = '' }) => name).concat([...special]));
  // Triton compares the number of inputs, and then looks for each that the configuration has.
  const count =
    given.filter(({ optional }) => !optional).length + batchTargets.length + controls.length + states.length;
  const isCounted = count !== facts.inputs.length;
  const hasUnknown = [...named].some((name) => !all.some((tensor) => tensor.name === name));
  const hasInputs = given.length + batchTargets.length > 0;
  for (const { name, typeText } of hasInputs && (isCounted || !hasUnknown) ? facts.inputs : []) {
    if (named.has(name)) continue;
    const what = `The model needs the input "${name}", ${typeText}, which the configuration does not have`;
    view.at(isCounted ? 'input-missing' : 'inputs-mixed', 'input', what);
  }
  const seen = new Set<string>();
  for (const [index, input] of given.entries()) {
    const { name = '' } = input;
    const field = `input[${index}]`;
    const twice = isCounted ? 'input-twice' : 'inputs-mixed';
    if (seen.has(name)) view.at(twice, field, `The input "${name}" is there twice`);
    else if (special.has(name))
      view.at(twice, field, `The input "${name}" is a control or a state of the sequence batcher, too`);
    seen.add(name);
    const tensor = findTensor(view, all, 'input', name, field);
    if (tensor === undefined) continue;
    checkOptional(view, facts.defaults.includes(tensor), name, index);
    compare(view, tensor, 'input', index, false);
  }
  for (const control of controls) checkControl(view, all, control);
  for (const { name, field } of batchTargets) findTensor(view, all, 'input', name, field);
  for (const [index, state] of states.entries()) {
    const field = `sequence_batching.state[${index}]`;
    const input = state.input_name ?? '';
    if (!all.some(({ name }) => name === input)) {
      view.at(
        'inputs-mixed',
        `${field}.input_name`,
        `The model has no input "${input}" for the state; it has ${namesOf(all)}`,
      );
    }
    const output = findTensor(view, facts.outputs, 'output', state.output_name ?? '', field);
    if (output !== undefined && output.type !== state.data_type) {
      view.at(
        'sequence-state',
        field,
        `The state "${output.name}" is ${state.data_type ?? 'TYPE_INVALID'}, and the output of the model ${output.type ?? output.typeText}`,
      );
    }
  }
}

function findTensor(
  view: ModelView,
  tensors: readonly TensorFacts[],
  kind: 'input' | 'output',
  name: string,
  field: string,
): TensorFacts | undefined {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found !== undefined || name === '') return found;
  const names = tensors.map((tensor) => tensor.name);
  const near = suggest(name, names) ?? (names.length === 1 ? names[0] : undefined);
  const place = view.has(`${field}.name`) ? `${field}.name` : field;
  view.at(
    'tensor-unknown',
    place,
    `The model has no ${kind} "${name}"; it has ${names
      .slice(0, 5)
      .map((each) => `"${each}"`)
      .join(', ')}`,
    near === undefined ? undefined : `Write "${near}"`,
  );
  return undefined;
}

/** Names for a message. */
function namesOf(tensors: readonly TensorFacts[]): string {
  const shown = tensors.slice(0, 5).map(({ name }) => `"${name}"`);
  return `${shown.join(', ')}${tensors.length > shown.length ? ', …' : ''}`;
}

function checkOptional(view: ModelView, isDefault: boolean, name: string, index: number): void {
  const field = `input[${index}]`;
  const isOptional = view.config.input?.[index]?.optional === true;
  if (isOptional && view.maxBatchSize > 0) {
    view.at(
      'input-optional',
      `${field}.optional`,
      `The input "${name}" is optional, and max_batch_size is ${view.maxBatchSize}`,
      'Write max_batch_size: 0 with the batch in dims, or remove optional',
    );
  } else if (isOptional && !isDefault) {
    view.at(
      'input-optional',
      `${field}.optional`,
      `The input "${name}" is optional, and the model needs it`,
      'Remove optional',
    );
  } else if (!isOptional && isDefault) {
    view.at(
      'input-optional',
      field,
      `The input "${name}" has a default in the model, and is not optional`,
      'Write optional: true, or leave the input out',
    );
  }
}

function checkControl(view: ModelView, tensors: readonly TensorFacts[], { name, type, field }: ControlTensor): void {
  const tensor = findTensor(view, tensors, 'input', name, field);
  if (tensor === undefined || type === undefined) return;
  const dims = view.maxBatchSize > 0 ? tensor.dims?.slice(1) : tensor.dims;
  if (dims !== undefined && (dims.length !== 1 || dims[0] !== 1)) {
    view.at(
      'sequence-control',
      field,
      `The control "${name}" has the shape ${shapeText(tensor.dims)} in the model, and must have ${view.maxBatchSize > 0 ? '[-1, 1]' : '[1]'}`,
    );
  }
  if (type !== tensor.type)
    view.at(
      'sequence-control',
      field,
      `The control "${name}" is ${type}, and the model takes ${tensor.type ?? tensor.typeText}`,
    );
}

/** Type and shape of one input or output. */
function compare(
  view: ModelView,
  tensor: TensorFacts,
  kind: 'input' | 'output',
  index: number,
  anyShape: boolean,
): void {
  const field = `${kind}[${index}]`;
  const given = view.config[kind]?.[index];
  const type = given?.data_type;
  const shown = `The ${kind} "${tensor.name}"`;
  if (tensor.isTensor && typeof type === 'string' && type !== 'TYPE_INVALID' && type !== tensor.type) {
    const fix = tensor.type === undefined ? 'Add a Cast in the model' : `Write data_type: ${tensor.type}`;
    view.at(
      'type-differs',
      `${field}.data_type`,
      `${shown} is ${type}, and the model has ${tensor.type ?? tensor.typeText}`,
      fix,
    );
  }
  const { dims = [], otherDims } = tensor;
  const configured = view.config[kind]?.[index];
  const sizes = (configured?.reshape === undefined ? (configured?.dims ?? []) : (configured.reshape.shape ?? [])).map(
    Number,
  );
  const isOutput = kind === 'output';
  const isRagged = !isOutput && view.config.input?.[index]?.allow_ragged_batch === true;
  const place = configured?.reshape === undefined ? `${field}.dims` : `${field}.reshape`;
  if (!tensor.isTensor || anyShape || (sizes.length === 0 && configured?.reshape === undefined)) return;
  if (isRagged) {
    if (dims.length !== 1 || dims[0] !== -1)
      view.at(
        'ragged',
        `${field}.allow_ragged_batch`,
        `${shown} may be ragged, and has the shape ${shapeText(dims)} in the model`,
      );
  } else if (otherDims !== undefined && fitsDims(view, otherDims, sizes, isOutput)) return;
  else if (tensor.dims === undefined) compareUnranked(view, shown, sizes, place);
  else if (dims.length === 0) compareScalar(view, shown, sizes, isOutput, place);
  else compareDims(view, shown, dims, sizes, isOutput, place);
}

/** ONNX Runtime reports a tensor of unknown rank as a scalar. */
function compareUnranked(view: ModelView, shown: string, sizes: readonly number[], place: string): void {
  if (sizes.every((size) => size === 1)) return;
  view.at(
    'dims-differ',
    place,
    `${shown} has dims ${shapeText(sizes)}, and its rank is unknown in the model, which Triton takes for a scalar`,
    'Export the model with shapes for its inputs and outputs',
  );
}

/** Whether dims are those of the model, of which the batch is not configured. */
function fitsDims(view: ModelView, dims: readonly number[], sizes: readonly number[], exact: boolean): boolean {
  if (view.maxBatchSize > 0 && dims[0] !== -1) return false;
  return isFit(view.maxBatchSize > 0 ? dims.slice(1) : dims, sizes, exact);
}

function isFit(dims: readonly number[], sizes: readonly number[], exact: boolean): boolean {
  return dims.length === sizes.length && dims.every((dim, axis) => dim === sizes[axis] || (dim === -1 && !exact));
}

function compareScalar(
  view: ModelView,
  shown: string,
  sizes: readonly number[],
  isOutput: boolean,
  place: string,
): void {
  if (sizes.some((size) => size !== 1))
    view.at(
      'dims-differ',
      place,
      `${shown} has dims ${shapeText(sizes)}, and is a scalar in the model`,
      'Write dims: [1]',
    );
  else if (view.maxBatchSize > 0) {
    view.at(
      'scalar-with-batch',
      place,
      isOutput
        ? `${shown} is a scalar in the model, which has no batch`
        : `${shown} is a scalar in the model, and max_batch_size is ${view.maxBatchSize}`,
    );
  }
}

function compareDims(
  view: ModelView,
  shown: string,
  dims: readonly number[],
  sizes: readonly number[],
  exact: boolean,
  place: string,
): void {
  const { maxBatchSize } = view;
  if (maxBatchSize > 0 && dims[0] !== -1) {
    view.at(
      'batch-fixed',
      'max_batch_size',
      `max_batch_size is ${maxBatchSize}, and ${shown.slice(4)} of the model has the shape ${shapeText(dims)}`,
    );
    return;
  }
  const wanted = maxBatchSize > 0 ? dims.slice(1) : dims;
  if (isFit(wanted, sizes, exact)) return;
  const right = `Write dims: ${shapeText(wanted.length === 0 ? [1] : wanted)}${wanted.length === 0 ? ' reshape { shape: [ ] }' : ''}`;
  const story = `${shown} has dims ${shapeText(sizes)}, and the shape ${shapeText(dims)} in the model`;
  if (maxBatchSize > 0 && wanted.length === 0) view.at('vector', place, story, right);
  else if (maxBatchSize > 0 && (isFit(dims, sizes, exact) || (sizes.length === dims.length && sizes.length > 0))) {
    view.at('batch-in-dims', place, story, right);
  } else if (maxBatchSize === 0 && dims[0] === -1 && sizes.length === dims.length - 1) {
    view.at(
      'batch-not-in-dims',
      place,
      `${story}; max_batch_size is 0`,
      `Write max_batch_size above 0, or dims: ${shapeText(dims)}`,
    );
  } else view.at('dims-differ', place, story, right);
}

function shapeText(dims: readonly number[] | undefined): string {
  return dims === undefined ? 'of unknown rank' : `[${dims.join(', ')}]`;
}
