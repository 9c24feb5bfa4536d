/** What is said of a benchmark in sentences. */

import type { Scenario } from '../../bench/scenario.js';
import type { BenchReport } from '../bench-types.js';
import { formatRate, plural } from '../format.js';

/** What was measured, as a heading. */
export function subjectOf({ subject, server, configurations }: BenchReport): string {
  const [first] = configurations;
  if (subject === 'server') return server?.model ?? first?.label ?? 'server';
  const models = new Set(configurations.flatMap(({ model }) => (model === undefined ? [] : [model.name])));
  const [name] = models;
  if (configurations.length === 1) return name ?? first?.label ?? 'model';
  const what = models.size === 1 && name !== undefined ? name : plural(models.size, 'model');
  return `${what}: ${plural(configurations.length, 'configuration')}`;
}

/** `single stream`, `4 streams`, `open loop, 100/s, poisson`. */
export function scenarioName(scenario: Scenario): string {
  switch (scenario.kind) {
    case 'single-stream':
      return 'single stream, closed loop';
    case 'multi-stream':
      return `${plural(scenario.streams, 'stream')}, closed loop`;
    case 'offline':
      return 'offline, closed loop';
    case 'server':
      return `open loop at ${formatRate(scenario.ratePerSecond)}, ${scenario.arrivals === 'poisson' ? 'Poisson' : 'constant'} arrivals`;
  }
}

/** What a reader must know of the scenario to read its latencies right. */
export function scenarioMeaning(scenario: Scenario): string {
  if (scenario.kind === 'server') {
    return 'Requests arrive on a schedule, whether or not the previous one has completed. Latency counts from the scheduled start, so time in the queue is included.';
  }
  if (scenario.kind === 'offline') {
    return 'Batches follow each other without a pause: throughput is what counts, and latency is that of a whole batch.';
  }
  return 'The next request starts when the previous one has ended, so these percentiles do not include queueing: with independent arrivals, requests would also wait for each other.';
}
