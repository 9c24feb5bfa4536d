/** Dynamic batching, queues, the response cache, and sequence batching. */
import { type ModelFolder, one, onnx, PLAIN, plus, quiet, type ServerCase } from '../server-case.js';

const batching = (fields: string): ModelFolder => plus(`dynamic_batching { ${fields} }`);
const UNBATCHED = PLAIN.replace('8', '0').replaceAll('[ 4 ]', '[ -1, 4 ]');
/** The model `controlled` takes X, START, END, READY of [N, 1] floats and CORRID of [N, 1] INT64. */
const CONTROLS = {
  START: 'control_input { name: "START" control { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } }',
  END: 'control_input { name: "END" control { kind: CONTROL_SEQUENCE_END fp32_false_true: [ 0, 1 ] } }',
  READY: 'control_input { name: "READY" control { kind: CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ] } }',
  CORRID: 'control_input { name: "CORRID" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_INT64 } }',
};
type Control = keyof typeof CONTROLS;
/** All controls, with some replaced, and more fields. */
function sequence(given: Partial<Record<Control, string>>, more = '', config = PLAIN): ModelFolder {
  const controls = Object.values({ ...CONTROLS, ...given }).join('\n  ');
  return onnx('controlled', `${config}sequence_batching {\n  ${controls}\n  ${more}\n}\n`);
}
const STATE = 'state { input_name: "H" output_name: "HN" data_type: TYPE_FP32 dims: [ 4 ] }';
const stateful = (fields: string, config = PLAIN): ModelFolder =>
  onnx('stateful', `${config}sequence_batching { ${fields} }\n`);

export const BATCHING_CASES: readonly ServerCase[] = [
  one(
    'loaded',
    'batching-full',
    'Every field of dynamic batching',
    batching(
      'preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 priority_levels: 2 default_priority_level: 1 default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1000 allow_timeout_override: true max_queue_size: 16 } priority_queue_policy { key: 2 value { max_queue_size: 4 } }',
    ),
  ),
  one(
    'refused',
    'preferred-above-max',
    'A preferred size above max_batch_size',
    batching('preferred_batch_size: [ 4, 16 ]'),
  ),
  one('refused', 'preferred-zero', 'A preferred size of 0', batching('preferred_batch_size: [ 0 ]')),
  one('refused', 'preferred-negative', 'A negative preferred size', batching('preferred_batch_size: [ -4 ]')),
  one(
    'loaded',
    'preferred-unordered',
    'Preferred sizes out of order and twice',
    batching('preferred_batch_size: [ 8, 4, 4 ]'),
  ),
  one(
    'refused',
    'preferred-without-batching',
    'Preferred sizes with max_batch_size 0',
    onnx('batched', `${UNBATCHED}dynamic_batching { preferred_batch_size: [ 4 ] }\n`),
  ),
  quiet(
    'batching-without-max',
    'Dynamic batching with max_batch_size 0',
    'nothing is batched',
    onnx('batched', `${UNBATCHED}dynamic_batching { }\n`),
    'dynamic_batching',
  ),
  quiet(
    'delay-without-batching',
    'A queue delay with max_batch_size 0',
    'nothing is batched, so nothing waits',
    onnx('batched', `${UNBATCHED}dynamic_batching { max_queue_delay_microseconds: 500 }\n`),
  ),
  quiet(
    'batching-of-one',
    'Dynamic batching with max_batch_size 1',
    'a batch never has more than one row',
    onnx('batched', `${PLAIN.replace('8', '1')}dynamic_batching { max_queue_delay_microseconds: 500 }\n`),
  ),
  one('refused', 'priority-without-default', 'Two priority levels without a default', batching('priority_levels: 2')),
  one(
    'refused',
    'priority-default-above',
    'A default above the number of levels',
    batching('priority_levels: 2 default_priority_level: 3'),
  ),
  one(
    'refused',
    'priority-policy-above',
    'A queue policy of a level that does not exist',
    batching(
      'priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 value { max_queue_size: 1 } }',
    ),
  ),
  one(
    'refused',
    'priority-policy-zero',
    'A queue policy of level 0',
    batching(
      'priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 0 value { max_queue_size: 1 } }',
    ),
  ),
  quiet(
    'priority-policy-without-levels',
    'A queue policy of a level, without levels',
    'the policy is never used',
    batching('priority_queue_policy { key: 1 value { max_queue_size: 1 } }'),
  ),
  quiet(
    'priority-default-without-levels',
    'A default level without levels',
    'the default is never used',
    batching('default_priority_level: 1'),
  ),
  one(
    'refused',
    'ordering-with-priorities',
    'preserve_ordering with two priority levels',
    batching('preserve_ordering: true priority_levels: 2 default_priority_level: 1'),
  ),
  one(
    'loaded',
    'ordering-with-one-priority',
    'preserve_ordering with one priority level',
    batching('preserve_ordering: true priority_levels: 1 default_priority_level: 1'),
  ),
  one(
    'refused',
    'ordering-with-delay',
    'preserve_ordering and a timeout that delays',
    batching('preserve_ordering: true default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 10 }'),
  ),
  one(
    'refused',
    'ordering-with-delay-of-level',
    'preserve_ordering and a level whose timeout delays',
    batching(
      'preserve_ordering: true priority_levels: 1 default_priority_level: 1 priority_queue_policy { key: 1 value { timeout_action: DELAY default_timeout_microseconds: 10 } }',
    ),
  ),
  quiet(
    'delay-without-timeout',
    'A timeout action without a timeout',
    'no request ever times out',
    batching('default_queue_policy { timeout_action: DELAY }'),
  ),
  one(
    'refused',
    'timeout-action-unknown',
    'A timeout action that does not exist',
    batching('default_queue_policy { timeout_action: DROP }'),
  ),
  one(
    'refused',
    'queue-size-negative',
    'A negative queue size',
    batching('default_queue_policy { max_queue_size: -1 }'),
  ),
  one('refused', 'batching-as-boolean', 'dynamic_batching as a boolean', plus('dynamic_batching: true')),
  quiet(
    'cache-without-server',
    'The response cache, without a cache of the server',
    'nothing is cached: the server was started without --cache-config',
    plus('response_cache { enable: true }'),
  ),
  one(
    'refused',
    'cache-with-sequences',
    'The response cache with sequence batching',
    sequence({}, '', `${PLAIN}response_cache { enable: true }\n`),
  ),
  one(
    'refused',
    'cache-with-decoupled',
    'The response cache with decoupled responses',
    plus('response_cache { enable: true }\nmodel_transaction_policy { decoupled: true }'),
  ),
  quiet(
    'decoupled',
    'Decoupled responses of an ONNX model',
    'the model sends one response a request, and HTTP rejects every request',
    plus('model_transaction_policy { decoupled: true }'),
  ),
  one('loaded', 'sequences', 'All controls of a sequence', sequence({})),
  one(
    'loaded',
    'sequences-oldest',
    'The oldest-first strategy',
    sequence({}, 'oldest { max_candidate_sequences: 4 preferred_batch_size: [ 4 ] max_queue_delay_microseconds: 100 }'),
  ),
  one(
    'loaded',
    'sequences-direct',
    'The direct strategy',
    sequence({}, 'direct { max_queue_delay_microseconds: 100 minimum_slot_utilization: 0.5 }'),
  ),
  one(
    'loaded',
    'sequences-without-batching',
    'Sequences of a model that does not batch',
    onnx('batched', `${UNBATCHED}sequence_batching { }\n`),
  ),
  one(
    'loaded',
    'sequences-without-controls',
    'Sequences of a model without controls',
    plus('sequence_batching { max_sequence_idle_microseconds: 5000000 }'),
  ),
  one(
    'refused',
    'control-without-name',
    'A control without a name',
    sequence({ START: CONTROLS.START.replace('"START"', '""') }),
  ),
  one(
    'refused',
    'control-twice',
    'The same control on two inputs',
    sequence({ END: CONTROLS.END.replace('SEQUENCE_END', 'SEQUENCE_START') }),
  ),
  one(
    'refused',
    'control-input-twice',
    'The same input as two controls',
    sequence({ END: CONTROLS.END.replace('"END"', '"START"') }),
  ),
  one(
    'refused',
    'control-without-values',
    'A control without its values',
    sequence({ START: 'control_input { name: "START" control { kind: CONTROL_SEQUENCE_START } }' }),
  ),
  one(
    'refused',
    'control-two-types',
    'A control with values of two types',
    sequence({ START: CONTROLS.START.replace('fp32_', 'int32_false_true: [ 0, 1 ] fp32_') }),
  ),
  one(
    'refused',
    'control-three-values',
    'A control with three values',
    sequence({ START: CONTROLS.START.replace('0, 1', '0, 1, 2') }),
  ),
  one(
    'refused',
    'control-other-type',
    'A control of another type than the input',
    sequence({ START: CONTROLS.START.replace('fp32_', 'int32_') }),
  ),
  one(
    'refused',
    'control-unknown-input',
    'A control on an input that the model does not have',
    sequence({ START: CONTROLS.START.replace('"START"', '"BEGIN"') }),
  ),
  one(
    'refused',
    'control-left-out',
    'A control that the model needs and the configuration leaves out',
    sequence({ READY: '' }),
  ),
  one(
    'refused',
    'control-unknown-kind',
    'A kind of control that does not exist',
    sequence({ START: CONTROLS.START.replace('SEQUENCE_START', 'START') }),
  ),
  one(
    'refused',
    'control-also-input',
    'A control that is listed as an input, too',
    sequence({}, '', `${PLAIN}input { name: "START" data_type: TYPE_FP32 dims: 1 }\n`),
  ),
  one(
    'refused',
    'control-shape',
    'A control on an input of four elements',
    onnx('pair', `${PLAIN.replace('"X"', '"A"')}sequence_batching { ${CONTROLS.START.replace('"START"', '"B"')} }\n`),
  ),
  one(
    'refused',
    'correlation-type',
    'A correlation ID as floats',
    sequence({ CORRID: CONTROLS.CORRID.replace('INT64', 'FP32') }),
  ),
  one(
    'refused',
    'correlation-other-type',
    'A correlation ID of another type than the input',
    sequence({ CORRID: CONTROLS.CORRID.replace('INT64', 'UINT64') }),
  ),
  one(
    'refused',
    'correlation-with-values',
    'A correlation ID with values',
    sequence({ CORRID: CONTROLS.CORRID.replace('data_type: TYPE_INT64', 'int32_false_true: [ 0, 1 ]') }),
  ),
  one(
    'refused',
    'oldest-preferred-above',
    'A preferred size above max_batch_size',
    sequence({}, 'oldest { max_candidate_sequences: 4 preferred_batch_size: [ 16 ] }'),
  ),
  one(
    'refused',
    'oldest-preferred-zero',
    'A preferred size of 0',
    sequence({}, 'oldest { max_candidate_sequences: 4 preferred_batch_size: [ 0 ] }'),
  ),
  one(
    'refused',
    'slots-above-one',
    'A slot utilization above 1',
    sequence({}, 'direct { minimum_slot_utilization: 1.5 }'),
  ),
  one(
    'refused',
    'slots-negative',
    'A negative slot utilization',
    sequence({}, 'direct { minimum_slot_utilization: -0.5 }'),
  ),
  one(
    'loaded',
    'oldest-without-candidates',
    'The oldest-first strategy without a number of candidates',
    sequence({}, 'oldest { }'),
  ),
  one('loaded', 'state', 'A state that the server keeps', stateful(STATE)),
  one(
    'loaded',
    'state-initial',
    'A state that starts at zero',
    stateful(
      STATE.replace('] }', '] initial_state { name: "zero" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } }'),
    ),
  ),
  quiet(
    'state-unknown-input',
    'A state of an input that the model does not have',
    'every request fails: the model lacks an input and gets another',
    stateful(STATE.replace('"H"', '"Q"')),
  ),
  one(
    'refused',
    'state-unknown-output',
    'A state of an output that the model does not have',
    stateful(STATE.replace('"HN"', '"Q"')),
  ),
  one('refused', 'state-type', 'A state of another type than the output', stateful(STATE.replace('FP32', 'FP16'))),
  one(
    'refused',
    'state-also-input',
    'A state that is listed as an input, too',
    stateful(STATE, `${PLAIN}input { name: "H" data_type: TYPE_FP32 dims: 4 }\n`),
  ),
  one(
    'refused',
    'state-initial-no-data',
    'A start without data',
    stateful(STATE.replace('] }', '] initial_state { name: "zero" data_type: TYPE_FP32 dims: [ 4 ] } }')),
  ),
  one(
    'refused',
    'state-initial-no-file',
    'A start from a file that is not there',
    stateful(
      STATE.replace('] }', '] initial_state { name: "zero" data_type: TYPE_FP32 dims: [ 4 ] data_file: "zeros" } }'),
    ),
  ),
  one(
    'refused',
    'state-initial-shape',
    'A start with another shape than the state',
    stateful(
      STATE.replace('] }', '] initial_state { name: "zero" data_type: TYPE_FP32 dims: [ 5 ] zero_data: true } }'),
    ),
  ),
  one(
    'refused',
    'state-initial-type',
    'A start with another type than the state',
    stateful(
      STATE.replace('] }', '] initial_state { name: "zero" data_type: TYPE_FP16 dims: [ 4 ] zero_data: true } }'),
    ),
  ),
];
