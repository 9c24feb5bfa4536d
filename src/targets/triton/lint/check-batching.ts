/** Batch sizes, queues and the response cache (Triton's `ValidateModelConfig`). */
import type { ModelConfigPart } from '../../../proto/model-config.js';
import type { ModelView } from './view.js';

export function checkBatching(view: ModelView): void {
  const { config, maxBatchSize } = view;
  if ((config.max_batch_size ?? 0) < 0)
    view.at('max-batch-negative', 'max_batch_size', `max_batch_size is ${config.max_batch_size}`);
  if (config.dynamic_batching !== undefined) checkDynamicBatching(view, config.dynamic_batching);
  const cached = config.response_cache?.enable === true;
  const decoupled = config.model_transaction_policy?.decoupled === true;
  if (cached && config.sequence_batching !== undefined)
    view.at('cache-conflict', 'response_cache', 'The response cache is on for a model with sequence batching');
  else if (cached && decoupled)
    view.at('cache-conflict', 'response_cache', 'The response cache is on for a decoupled model');
  else if (cached)
    view.at(
      'server-option',
      'response_cache',
      'The response cache is on',
      'Start tritonserver with --cache-config local,size=BYTES, or leave response_cache out',
    );
  if (decoupled && view.effective.backend === 'onnxruntime')
    view.at('decoupled', 'model_transaction_policy', 'An ONNX model is decoupled');
  checkMetrics(view);
  const oldest = config.sequence_batching?.oldest?.preferred_batch_size ?? [];
  checkPreferred(view, oldest, 'sequence_batching.oldest', maxBatchSize);
}

type Batching = ModelConfigPart<'ModelDynamicBatching'>;

function checkDynamicBatching(view: ModelView, batching: Batching): void {
  const { maxBatchSize } = view;
  const levels = Number(batching.priority_levels ?? 0);
  const policies = batching.priority_queue_policy ?? new Map();
  checkPreferred(view, batching.preferred_batch_size ?? [], 'dynamic_batching', maxBatchSize);
  const usesQueue =
    levels > 0 ||
    policies.size > 0 ||
    batching.default_queue_policy !== undefined ||
    batching.preserve_ordering === true;
  if (maxBatchSize <= 1 && !usesQueue && !view.isMaxBatchCompleted) {
    view.at('batching-off', 'dynamic_batching', `Dynamic batching is on, and max_batch_size is ${maxBatchSize}`);
  }
  checkPriorities(view, batching, levels);
  checkQueues(view, batching);
}

function checkPreferred(view: ModelView, sizes: readonly number[], field: string, most: number): void {
  for (const [index, size] of sizes.entries()) {
    const at = `${field}.preferred_batch_size[${index}]`;
    if (size <= 0) view.at('preferred-size', at, `A preferred batch size is ${size}`);
    else if (size > most && !view.isMaxBatchCompleted)
      view.at('preferred-size', at, `The preferred batch size ${size} is above max_batch_size, ${most}`);
  }
}

function checkPriorities(view: ModelView, batching: Batching, levels: number): void {
  const chosen = Number(batching.default_priority_level ?? 0);
  const policies = [...(batching.priority_queue_policy ?? new Map()).keys()];
  if (levels === 0) {
    if (policies.length > 0)
      view.at(
        'priority-off',
        'dynamic_batching.priority_queue_policy',
        'There are policies of priority levels, and priority_levels is 0',
      );
    if (chosen > 0)
      view.at(
        'priority-off',
        'dynamic_batching.default_priority_level',
        'There is a default priority level, and priority_levels is 0',
      );
    return;
  }
  if (chosen === 0 || chosen > levels) {
    const field = view.has('dynamic_batching.default_priority_level') ? 'default_priority_level' : 'priority_levels';
    view.at(
      'priority-level',
      `dynamic_batching.${field}`,
      `default_priority_level is ${chosen}, and must be from 1 to ${levels}`,
      `Write default_priority_level: ${levels}`,
    );
  }
  for (const level of policies) {
    if (Number(level) === 0 || Number(level) > levels) {
      view.at(
        'priority-level',
        `dynamic_batching.priority_queue_policy[${level}]`,
        `A queue policy is for priority level ${level}, and levels are 1 to ${levels}`,
      );
    }
  }
  if (batching.preserve_ordering && levels > 1)
    view.at('ordering', 'dynamic_batching.preserve_ordering', `preserve_ordering is on with ${levels} priority levels`);
}

function checkQueues(view: ModelView, batching: Batching): void {
  const policies = [
    ['dynamic_batching.default_queue_policy', batching.default_queue_policy] as const,
    ...[...(batching.priority_queue_policy ?? new Map())].map(
      ([level, policy]) => [`dynamic_batching.priority_queue_policy[${level}]`, policy] as const,
    ),
  ];
  for (const [field, policy] of policies) {
    if (policy?.timeout_action !== 'DELAY') continue;
    const timeout = Number(policy.default_timeout_microseconds ?? 0);
    if (timeout > 0 && batching.preserve_ordering)
      view.at('ordering', field, 'preserve_ordering is on, and requests are delayed after a timeout');
    if (timeout === 0 && !policy.allow_timeout_override)
      view.at('timeout-off', field, 'There is a timeout action without a timeout');
  }
}

function checkMetrics(view: ModelView): void {
  for (const [index, control] of (view.config.model_metrics?.metric_control ?? []).entries()) {
    const field = `model_metrics.metric_control[${index}]`;
    if ((control.metric_identifier?.family ?? '') === '') view.at('metric', field, 'A metric has no family');
    if ((control.histogram_options?.buckets ?? []).length === 0)
      view.at('metric', field, 'A metric has no histogram buckets');
  }
}
