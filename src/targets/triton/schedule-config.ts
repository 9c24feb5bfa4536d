import { ServeOptError } from '../../errors.js';
import type { ModelConfig, ModelConfigPart } from '../../proto/model-config.js';
import { sequenceControls } from './sequence-controls.js';
import type { ServedInterface } from './serving-facts.js';
import type { ServingOptions } from './triton-options.js';

/** The scheduler of a configuration, and the inputs that it feeds itself. */
export interface Schedule {
  readonly fields: Pick<ModelConfig, 'dynamic_batching' | 'sequence_batching'>;
  /** Inputs of the model that no request carries: they tell where a sequence begins and ends. */
  readonly controls: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** Options that shape a batch, with their flags: without batching the server would ignore them silently. */
const OF_BATCHES = [
  ['preferredBatches', '--preferred'],
  ['maxDelayMicroseconds', '--max-delay'],
  ['priorities', '--priority'],
  ['queueTimeout', '--queue-timeout'],
] as const satisfies readonly (readonly [keyof ServingOptions, string])[];

/**
 * How requests are brought together.
 * @param why why there is no batching, where there is none
 * @throws SO1002 for options that need batching, or that the scheduler of sequences does not have
 */
export function scheduleConfig(
  served: ServedInterface,
  maxBatch: number,
  options: ServingOptions,
  why: string | undefined,
): Schedule {
  checkPreferred(options.preferredBatches, maxBatch);
  if (options.sequence !== undefined) return sequenceSchedule(served, maxBatch, options);
  if (maxBatch === 0) {
    const idle = OF_BATCHES.find(([key]) => options[key] !== undefined);
    if (idle === undefined) return { fields: {}, controls: new Set(), notes: [] };
    throw new ServeOptError('SO1002', `${idle[1]} needs batching, and the model is served without`, {
      why: why ?? '--max-batch 0 turns it off',
      hint: `leave ${idle[1]} out`,
    });
  }
  return { fields: { dynamic_batching: dynamicBatching(options) }, controls: new Set(), notes: [] };
}

function dynamicBatching(options: ServingOptions): ModelConfigPart<'ModelDynamicBatching'> {
  const { preferredBatches, maxDelayMicroseconds, priorities, queueTimeout } = options;
  return {
    ...(preferredBatches === undefined ? {} : { preferred_batch_size: preferredBatches }),
    ...(maxDelayMicroseconds === undefined ? {} : { max_queue_delay_microseconds: maxDelayMicroseconds }),
    ...(priorities === undefined
      ? {}
      : { priority_levels: priorities.levels, default_priority_level: priorities.defaultLevel }),
    ...(queueTimeout === undefined
      ? {}
      : {
          default_queue_policy: {
            timeout_action: queueTimeout.action === 'delay' ? ('DELAY' as const) : ('REJECT' as const),
            default_timeout_microseconds: queueTimeout.microseconds,
            allow_timeout_override: true,
          },
        }),
  };
}

/** Sequences that may be in progress on one instance where nothing is said. */
const LEAST_CANDIDATES = 4;

function sequenceSchedule(served: ServedInterface, maxBatch: number, options: ServingOptions): Schedule {
  const { sequence, preferredBatches, maxDelayMicroseconds } = options;
  const lacking = (flag: string, why: string): ServeOptError =>
    new ServeOptError('SO1002', `${flag} and --sequence ${sequence} contradict each other`, { why });
  if (options.priorities !== undefined) throw lacking('--priority', 'the scheduler of sequences has no priorities');
  if (options.queueTimeout !== undefined) throw lacking('--queue-timeout', 'sequences have no queue of that kind');
  if (options.cache) throw lacking('--cache', 'Triton refuses a response cache for a model with sequences');
  const delay = maxDelayMicroseconds === undefined ? {} : { max_queue_delay_microseconds: maxDelayMicroseconds };
  const { controls, names, notes } = sequenceControls(served.inputs, maxBatch > 0);
  const control = controls.length === 0 ? {} : { control_input: controls };
  if (sequence === 'direct') {
    if (preferredBatches !== undefined)
      throw lacking('--preferred', 'the strategy direct has no preferred batch sizes; oldest has');
    return { fields: { sequence_batching: { direct: delay, ...control } }, controls: names, notes };
  }
  const oldest = {
    max_candidate_sequences: Math.max(LEAST_CANDIDATES, maxBatch),
    ...(preferredBatches === undefined ? {} : { preferred_batch_size: preferredBatches }),
    ...delay,
  };
  return { fields: { sequence_batching: { oldest, ...control } }, controls: names, notes };
}

function checkPreferred(sizes: readonly number[] | undefined, maxBatch: number): void {
  const tooLarge = maxBatch === 0 ? undefined : sizes?.find((size) => size > maxBatch);
  if (tooLarge === undefined) return;
  throw new ServeOptError('SO1002', `--preferred ${tooLarge} is larger than the largest batch, ${maxBatch}`, {
    why: 'Triton refuses such a configuration',
    hint: `add --max-batch ${tooLarge}`,
  });
}
