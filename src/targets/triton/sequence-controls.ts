import type { ModelConfigPart, TritonDataType } from '../../proto/model-config.js';
import type { ServedTensor } from './serving-facts.js';

type ControlInput = ModelConfigPart<'ModelSequenceBatching.ControlInput'>;
type Control = ModelConfigPart<'ModelSequenceBatching.Control'>;

/** Inputs that the scheduler of sequences sets itself, by the names that Triton's documentation gives them. */
const CONTROLS: ReadonlyMap<string, NonNullable<Control['kind']>> = new Map([
  ['START', 'CONTROL_SEQUENCE_START'],
  ['END', 'CONTROL_SEQUENCE_END'],
  ['READY', 'CONTROL_SEQUENCE_READY'],
  ['CORRID', 'CONTROL_SEQUENCE_CORRID'],
]);

/** Types of the flags among them, with the pair of values for false and true. */
const FLAG_VALUES: ReadonlyMap<TritonDataType, Control> = new Map<TritonDataType, Control>([
  ['TYPE_INT32', { int32_false_true: [0, 1] }],
  ['TYPE_FP32', { fp32_false_true: [0, 1] }],
  ['TYPE_BOOL', { bool_false_true: [false, true] }],
]);

const ID_TYPES: ReadonlySet<TritonDataType> = new Set([
  'TYPE_UINT64',
  'TYPE_INT64',
  'TYPE_UINT32',
  'TYPE_INT32',
  'TYPE_STRING',
]);

/** What the scheduler of sequences feeds. */
export interface SequenceControls {
  readonly controls: readonly ControlInput[];
  readonly names: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/**
 * Finds the inputs START, END, READY and CORRID (in any case) of a type and shape that the scheduler can set: one value a row.
 * They are no inputs of a request then. A model without any keeps its state in another way, or has none.
 */
export function sequenceControls(inputs: readonly ServedTensor[], isBatched: boolean): SequenceControls {
  const controls: ControlInput[] = [];
  const notes: string[] = [];
  for (const { name, type, shape, typeText } of inputs) {
    const kind = CONTROLS.get(name.toUpperCase());
    if (kind === undefined) continue;
    const row = isBatched ? shape.slice(1) : shape;
    const control = controlOf(kind, type);
    if (control === undefined || row.length !== 1 || row[0] !== 1) {
      notes.push(
        `The input "${name}" of type ${typeText} stays an input of requests: the scheduler of sequences sets one value a row, of another type or shape.`,
      );
      continue;
    }
    controls.push({ name, control: [control] });
  }
  if (controls.length === 0) {
    notes.push(
      'The model has no input START, END, READY or CORRID: the server keeps a sequence on one instance, and the model is not told where it begins.',
    );
  }
  return { controls, names: new Set(controls.map(({ name = '' }) => name)), notes };
}

function controlOf(kind: NonNullable<Control['kind']>, type: TritonDataType): Control | undefined {
  if (kind === 'CONTROL_SEQUENCE_CORRID') return ID_TYPES.has(type) ? { kind, data_type: type } : undefined;
  const values = FLAG_VALUES.get(type);
  return values && { kind, ...values };
}
