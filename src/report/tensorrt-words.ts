/** What is said of an engine, on the terminal and in pages. */
import { formatBytes, formatDuration, plural } from './format.js';
import type { EngineLayer, ProfileShape, TensorRtReport } from './tensorrt-types.js';

/** `NVIDIA A100 80GB PCIe, compute capability 8.0, 1.41 GHz`. */
export function deviceWords({ device }: TensorRtReport): string | undefined {
  if (device === undefined) return undefined;
  const { name, computeCapability, computeClockGHz, memoryMiB } = device;
  return [
    name,
    ...(computeCapability === undefined ? [] : [`compute capability ${computeCapability}`]),
    ...(computeClockGHz === undefined ? [] : [`${computeClockGHz} GHz`]),
    ...(memoryMiB === undefined ? [] : [formatBytes(memoryMiB * 2 ** 20)]),
  ].join(', ');
}

/** `images 1–32×3×224×224, best 8`. */
export function profileWords({ name, min, opt, max }: ProfileShape): string {
  const dims = min.map((least, axis) => (least === max[axis] ? String(least) : `${least}–${max[axis]}`));
  const best = opt.filter((_, axis) => min[axis] !== max[axis]);
  return `${name} ${dims.join('×')}${best.length === 0 ? '' : `, best ${best.join('×')}`}`;
}

/** How it was measured, as a reader has to know it to compare: versions differ in their defaults. */
export function conditionsWords({ conditions }: TensorRtReport): string | undefined {
  if (conditions === undefined) return undefined;
  const { transfers, cudaGraph, streams, processes } = conditions;
  return [
    transfers ? 'copies of inputs and outputs included' : 'without copies of inputs and outputs',
    cudaGraph ? 'CUDA graph' : 'no CUDA graph',
    plural(streams, 'stream'),
    plural(processes, 'process', 'processes'),
  ].join(', ');
}

/** `built in 41 s`. */
export function buildWords({ build }: TensorRtReport): string | undefined {
  return build?.seconds === undefined ? undefined : `built in ${formatDuration(build.seconds * 1000)}`;
}

/** Number of layers and their share of the time by precision, most time first. Empty where TensorRT tells no types. */
export function precisionShares(layers: readonly EngineLayer[]): readonly {
  readonly precision: string;
  readonly layers: number;
  readonly share: number;
}[] {
  const groups = new Map<string, { layers: number; share: number }>();
  for (const { precision, share = 0 } of layers) {
    if (precision === undefined) continue;
    const group = groups.get(precision) ?? { layers: 0, share: 0 };
    group.layers++;
    group.share += share;
    groups.set(precision, group);
  }
  return [...groups]
    .map(([precision, group]) => ({ precision, ...group }))
    .sort((a, b) => b.share - a.share || b.layers - a.layers);
}

/** Spans of the summary in the order of a query, each with its name. */
export function namedSpans(report: TensorRtReport) {
  const [first] = report.summaries;
  const { latency, endToEnd, enqueue, hostToDevice, gpuCompute, deviceToHost } = first ?? {};
  return (
    [
      ['Latency', latency],
      ['End to end', endToEnd],
      ['Enqueue (CPU)', enqueue],
      ['Copy to GPU', hostToDevice],
      ['GPU compute', gpuCompute],
      ['Copy to host', deviceToHost],
    ] as const
  ).flatMap(([name, span]) => (span === undefined ? [] : [{ name, span }]));
}
