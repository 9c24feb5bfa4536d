/**
 * How requests come (MLPerf's scenarios). In a closed loop the next request starts when the one before has ended, so a
 * slow response also delays what would have come meanwhile: its percentiles say nothing of queues. In an open loop requests
 * come at their own times and latency counts from the time at which one was to start (coordinated omission).
 */
export type Scenario =
  /** Closed loop, one request at a time. */
  | { readonly kind: 'single-stream' }
  /** Closed loop, one request at a time in each of several processes or connections at once. */
  | { readonly kind: 'multi-stream'; readonly streams: number }
  /** Closed loop where only throughput counts: large batches back to back. */
  | { readonly kind: 'offline' }
  /** Open loop. */
  | { readonly kind: 'server'; readonly ratePerSecond: number; readonly arrivals: ArrivalProcess };

export const SCENARIO_KINDS = ['single-stream', 'multi-stream', 'offline', 'server'] as const;
export type ScenarioKind = (typeof SCENARIO_KINDS)[number];

/** Poisson: independent gaps with an exponential distribution. Constant: equal gaps. */
export const ARRIVAL_PROCESSES = ['poisson', 'constant'] as const;
export type ArrivalProcess = (typeof ARRIVAL_PROCESSES)[number];
