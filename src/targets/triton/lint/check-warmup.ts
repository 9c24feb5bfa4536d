/** Warm-up requests (Triton's `TritonModelInstance::GenerateWarmupData`). */
import type { ModelConfigPart } from '../../../proto/model-config.js';
import { controlTensors } from './check-sequences.js';
import { checkDataFile, elementBytes } from './data-files.js';
import type { ModelView } from './view.js';

export function checkWarmup(view: ModelView): void {
  for (const [index, warmup] of (view.config.model_warmup ?? []).entries()) {
    const field = `model_warmup[${index}]`;
    if ((warmup.batch_size ?? 0) === 0) view.at('warmup-off', field, 'A warm-up request has a batch_size of 0');
    else checkRequest(view, warmup, field);
  }
}

type Warmup = ModelConfigPart<'ModelWarmup'>;

function checkRequest(view: ModelView, { inputs = new Map(), batch_size: size = 0 }: Warmup, field: string): void {
  const most = Math.max(1, view.maxBatchSize);
  if (size > most && view.effective.backend === 'onnxruntime') {
    view.at(
      'warmup',
      `${field}.batch_size`,
      `The warm-up request has a batch of ${size}, and max_batch_size is ${view.maxBatchSize}`,
    );
  }
  const controls = new Set([...controlTensors(view)].map(({ name }) => name));
  const states = new Set((view.config.sequence_batching?.state ?? []).map(({ input_name: name }) => name));
  const known = view.inputs;
  for (const [name, input] of inputs) {
    const at = `${field}.inputs[${JSON.stringify(name)}]`;
    const target = known?.find((each) => each.name === name);
    const sizes = (input.dims ?? []).map(Number);
    if (known !== undefined && target === undefined && !controls.has(name) && !states.has(name)) {
      view.at('warmup', at, `The model has no input "${name}"`);
      continue;
    }
    if (input.data_type === undefined || input.data_type === 'TYPE_INVALID')
      view.at('warmup', at, `The warm-up of "${name}" has no data_type`);
    else if (target?.type !== undefined && target.type !== input.data_type) {
      view.at(
        'warmup',
        `${at}.data_type`,
        `The warm-up of "${name}" is ${input.data_type}, and the input ${target.type}`,
      );
    }
    if (sizes.some((size) => size < 0))
      view.at('warmup', `${at}.dims`, `The warm-up of "${name}" has an open dimension`);
    else if (target !== undefined && !sameDims(sizes, target.dims)) {
      view.at(
        'warmup',
        `${at}.dims`,
        `The warm-up of "${name}" has dims [${sizes.join(', ')}], and the input [${target.dims.join(', ')}]`,
      );
    }
    if (input.input_data_file !== undefined) {
      const bytes = elementBytes(input.data_type, sizes);
      checkDataFile(view, { rule: 'warmup', field: at, folder: 'warmup', file: input.input_data_file, bytes });
    } else if (input.zero_data === undefined && input.random_data === undefined) {
      view.at('warmup', at, `The warm-up of "${name}" has no data: zero_data, random_data or input_data_file`);
    }
  }
  const missing = (known ?? []).filter(
    ({ name, isOptional }) => !isOptional && !inputs.has(name) && !controls.has(name),
  );
  for (const { name } of missing) view.at('warmup', field, `The warm-up request has no input "${name}"`);
}

function sameDims(sizes: readonly number[], dims: readonly number[]): boolean {
  return sizes.length === dims.length && sizes.every((size, axis) => dims[axis] === -1 || size === dims[axis]);
}
