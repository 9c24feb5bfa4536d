/** Sequence batching: controls, strategies and states (Triton's `GetBooleanSequenceControlProperties`, `SequenceBatchScheduler`). */
import type { ModelConfigPart } from '../../../proto/model-config.js';
import { checkDataFile, elementBytes } from './data-files.js';
import type { ModelView } from './view.js';

type Control = ModelConfigPart<'ModelSequenceBatching.Control'>;
type State = ModelConfigPart<'ModelSequenceBatching.State'>;

/** A control as the model must take it. */
export interface ControlTensor {
  readonly name: string;
  readonly type: string | undefined;
  readonly field: string;
}

const ID_TYPES = ['TYPE_UINT64', 'TYPE_INT64', 'TYPE_UINT32', 'TYPE_INT32', 'TYPE_STRING'];
const START = 'CONTROL_SEQUENCE_START';
const ID = 'CONTROL_SEQUENCE_CORRID';

/** The fields of a control that have its values, and the type that each gives the tensor. */
const VALUES = [
  ['int32_false_true', 'TYPE_INT32'],
  ['fp32_false_true', 'TYPE_FP32'],
  ['bool_false_true', 'TYPE_BOOL'],
] as const;

export function controlTensors({ config }: ModelView): readonly ControlTensor[] {
  return (config.sequence_batching?.control_input ?? []).flatMap(({ name = '', control = [] }, index) =>
    control.map((each) => {
      const type =
        each.kind === ID ? String(each.data_type ?? '') : VALUES.find(([field]) => (each[field] ?? []).length > 0)?.[1];
      return { name, type, field: `sequence_batching.control_input[${index}]` };
    }),
  );
}

export function checkSequences(view: ModelView): void {
  const batching = view.config.sequence_batching;
  if (batching === undefined) return;
  const names = new Set<string>();
  const kinds = new Set<string>();
  for (const [index, { name = '', control = [] }] of (batching.control_input ?? []).entries()) {
    const field = `sequence_batching.control_input[${index}]`;
    if (name === '') view.at('sequence-control', field, 'A control has no name');
    else if (names.has(name)) view.at('sequence-control', field, `The control "${name}" is there twice`);
    names.add(name);
    for (const [at, each] of control.entries()) {
      const kind = String(each.kind ?? START);
      const place = `${field}.control[${at}]`;
      if (kinds.has(kind)) view.at('sequence-control', place, `${kind} is there twice`);
      kinds.add(kind);
      checkValues(view, each, kind, name, place);
    }
  }
  const slots = batching.direct?.minimum_slot_utilization ?? 0;
  if (!(slots >= 0 && slots <= 1)) {
    view.at(
      'slot-utilization',
      'sequence_batching.direct.minimum_slot_utilization',
      `minimum_slot_utilization is ${slots}`,
    );
  }
  for (const [index, state] of (batching.state ?? []).entries()) checkState(view, state, index);
}

function checkValues(view: ModelView, control: Control, kind: string, name: string, place: string): void {
  const given = VALUES.filter(([field]) => (control[field] ?? []).length > 0).map(([field]) => field);
  if (kind === ID) {
    if (given.length > 0)
      view.at('sequence-control', place, `The control "${name}" is a correlation ID and has ${given[0]}`);
    else if (!ID_TYPES.includes(String(control.data_type))) {
      view.at(
        'sequence-control',
        place,
        `The control "${name}" is a correlation ID of type ${control.data_type ?? 'TYPE_INVALID'}`,
        `Write data_type: one of ${ID_TYPES.join(', ')}`,
      );
    }
    return;
  }
  const [only] = given;
  if (only === undefined) view.at('sequence-control', place, `The control "${name}" has no values for false and true`);
  else if (given.length > 1) view.at('sequence-control', place, `The control "${name}" has ${given.join(' and ')}`);
  else if (control[only]?.length !== 2)
    view.at(
      'sequence-control',
      place,
      `The control "${name}" has ${control[only]?.length} values, and must have two: for false and true`,
    );
}

function checkState(view: ModelView, state: State, index: number): void {
  const { input_name: input = '', dims = [], initial_state: starts = [], data_type: type } = state;
  const field = `sequence_batching.state[${index}]`;
  if (starts.length > 1)
    view.at(
      'sequence-state',
      `${field}.initial_state[1]`,
      `The state "${input}" has ${starts.length} initial states, and may have one`,
    );
  const [start] = starts;
  if (start === undefined) return;
  const at = `${field}.initial_state[0]`;
  const sizes = (start.dims ?? []).map(Number);
  const wanted = dims.map(Number);
  if ((start.name ?? '') === '') view.at('sequence-state', at, `The initial state of "${input}" has no name`);
  if (start.data_type !== type)
    view.at(
      'sequence-state',
      at,
      `The initial state of "${input}" is ${start.data_type ?? 'TYPE_INVALID'}, and the state ${type ?? 'TYPE_INVALID'}`,
    );
  if (sizes.length !== wanted.length || sizes.some((size, axis) => wanted[axis] !== -1 && size !== wanted[axis])) {
    view.at(
      'sequence-state',
      at,
      `The initial state of "${input}" has dims [${sizes.join(', ')}], and the state [${wanted.join(', ')}]`,
    );
  } else if (sizes.includes(-1)) view.at('sequence-state', at, `The initial state of "${input}" has an open dimension`);
  else if (start.data_file !== undefined) {
    const bytes = elementBytes(start.data_type, sizes);
    checkDataFile(view, { rule: 'sequence-state', field: at, folder: 'initial_state', file: start.data_file, bytes });
  } else if (start.zero_data === undefined)
    view.at('sequence-state', at, `The initial state of "${input}" has neither zero_data nor data_file`);
}
