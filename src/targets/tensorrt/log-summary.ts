/** The figures in the lines of a trtexec log. */
import type { TensorRtDevice, TensorRtSpan, TensorRtSummary } from '../../report/tensorrt-types.js';

type Draft<T> = { -readonly [K in keyof T]?: T[K] };

/** A number as trtexec prints it; undefined for `nan` and `inf`, which it prints where nothing was measured. */
function finite(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && text !== '' && Number.isFinite(value) ? value : undefined;
}

const NUMBER = String.raw`([-+.\deE]+|-?nan|-?inf)`;
const SPAN = new RegExp(`^min = ${NUMBER} ms, max = ${NUMBER} ms, mean = ${NUMBER} ms, median = ${NUMBER} ms(.*)$`);
const PERCENTILE = new RegExp(`percentile\\(${NUMBER}%\\) = ${NUMBER} ms`, 'g');

/** `min = 0.39 ms, max = … , percentile(99%) = 0.42 ms`; undefined where a figure is missing or not a number. */
export function parseSpan(text: string): TensorRtSpan | undefined {
  const [, min, max, mean, median, rest = ''] = SPAN.exec(text) ?? [];
  const [minMs, maxMs, meanMs, medianMs] = [min, max, mean, median].map(finite);
  if (minMs === undefined || maxMs === undefined || meanMs === undefined || medianMs === undefined) return undefined;
  const percentiles = [...rest.matchAll(PERCENTILE)].flatMap(([, percent, ms]) => {
    const [p, value] = [finite(percent), finite(ms)];
    return p === undefined || value === undefined ? [] : [{ percent: p, ms: value }];
  });
  return { minMs, maxMs, meanMs, medianMs, percentiles };
}

/** Names of spans in the summary. */
const SPANS: ReadonlyMap<string, 'latency' | 'endToEnd' | 'enqueue' | 'hostToDevice' | 'gpuCompute' | 'deviceToHost'> =
  new Map([
    ['Latency', 'latency'],
    ['End-to-End Host Latency', 'endToEnd'],
    ['Enqueue Time', 'enqueue'],
    ['H2D Latency', 'hostToDevice'],
    ['GPU Compute Time', 'gpuCompute'],
    ['D2H Latency', 'deviceToHost'],
  ]);

/** Single figures of the summary and of the trace before it. */
const FIGURES: readonly {
  readonly pattern: RegExp;
  readonly key: 'queriesPerSecond' | 'queries' | 'hostWalltimeS' | 'gpuComputeS';
}[] = [
  { pattern: /^Throughput: (\S+) qps$/, key: 'queriesPerSecond' },
  { pattern: /^Timing trace has (\d+) queries over /, key: 'queries' },
  { pattern: /^Total Host Walltime: (\S+) s$/, key: 'hostWalltimeS' },
  { pattern: /^Total GPU Compute Time: (\S+) s$/, key: 'gpuComputeS' },
];

/** Takes what a line says of the measurement. */
export function readSummaryLine(text: string, summary: Draft<TensorRtSummary>): void {
  const at = text.indexOf(': ');
  const name = SPANS.get(text.slice(0, at));
  if (name !== undefined) {
    const span = parseSpan(text.slice(at + 2));
    if (span) summary[name] = span;
    return;
  }
  for (const { pattern, key } of FIGURES) {
    const value = finite(pattern.exec(text)?.[1]);
    if (value !== undefined) summary[key] = value;
  }
}

const DEVICE_FIGURES: readonly {
  readonly pattern: RegExp;
  readonly key: Exclude<keyof TensorRtDevice, 'name' | 'computeCapability'>;
}[] = [
  { pattern: /^SMs: (\d+)$/, key: 'multiprocessors' },
  { pattern: /^Device Global Memory: (\d+) MiB$/, key: 'memoryMiB' },
  { pattern: /^(?:Application )?Compute Clock Rate: (\S+) GHz$/, key: 'computeClockGHz' },
  { pattern: /^(?:Application )?Memory Clock Rate: (\S+) GHz/, key: 'memoryClockGHz' },
];

/** Takes what a line says of the GPU. */
export function readDeviceLine(text: string, device: Draft<TensorRtDevice>): void {
  const [, name] = /^Selected Device: (.+)$/.exec(text) ?? [];
  if (name !== undefined) device.name = name;
  const [, capability] = /^Compute Capability: (\d+\.\d+)$/.exec(text) ?? [];
  if (capability !== undefined) device.computeCapability = capability;
  for (const { pattern, key } of DEVICE_FIGURES) {
    const value = finite(pattern.exec(text)?.[1]);
    if (value !== undefined) device[key] = value;
  }
}
