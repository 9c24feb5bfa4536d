/** What the warnings of a trtexec log mean for whoever reads the result. */
import type { TrtexecLog } from './trtexec-log.js';

interface WarningRow {
  readonly pattern: RegExp;
  /** What it means and what to do; undefined drops the warning, which says nothing about the result. */
  readonly meaning: string | undefined;
}

/** First match wins. Texts are those of `samples/common/sampleReporting.cpp` and of TensorRT 8 to 11. */
const WARNINGS: readonly WarningRow[] = [
  {
    pattern: /Throughput may be bound by Enqueue Time/i,
    meaning:
      'Throughput is bound by the time the CPU takes to enqueue work, not by the GPU: use CUDA graphs (no --no-cuda-graph), or larger batches.',
  },
  {
    pattern: /Throughput may be bound by (?:host-to-device|device-to-host)|may be bound by (?:H2D|D2H)/i,
    meaning:
      'Throughput is bound by copies between host and GPU: measure without --transfers, or keep data on the GPU.',
  },
  {
    pattern: /GPU compute time is unstable, with coefficient of variance = ([\d.]+)%/,
    meaning:
      'GPU compute times vary by $1 %: clocks change while it runs. Lock them (nvidia-smi --lock-gpu-clocks) before comparing results.',
  },
  // Advice of trtexec on its own options, which follows one of the warnings above.
  { pattern: /locking GPU clock frequency/, meaning: undefined },
  { pattern: /If not already in use, --useCudaGraph|If you are using --noCudaGraph, removing it/, meaning: undefined },
  { pattern: /Add --(?:noDataTransfers|useCudaGraph|useSpinWait)/, meaning: undefined },
  { pattern: /Consider removing --includeDataTransfers/, meaning: undefined },
  {
    pattern: /CUDA graph capture failed/,
    meaning:
      'The engine cannot run as a CUDA graph: it was measured without one, which costs the CPU time to launch each kernel.',
  },
  { pattern: /contains operations that are not permitted under CUDA graph capture mode/, meaning: undefined },
  {
    pattern: /Multiple inference streams are used/,
    meaning: 'Several streams share the GPU, so single latencies say little: judge by the throughput.',
  },
  {
    pattern: /The engine uses (\d+) auxiliary streams/,
    meaning: 'Layers ran side by side on $1 auxiliary streams: their times add up to more than a query takes.',
  },
  {
    pattern:
      /Dynamic dimensions required for input: (\S+), but no shapes were provided. Automatically overriding shape to: (\S+)/,
    meaning: 'Input "$1" had no range, so trtexec built for $2 only: give its dimensions with --dim.',
  },
  {
    pattern: /has been generated with INT64 weights|INT64 weights.*(?:INT32|cast down)|cast(?:ing)? down to INT32/i,
    meaning: 'INT64 values are narrowed to INT32; values beyond 32 bits are clamped.',
  },
  {
    pattern: /weights are out of range.*clamp|values outside of .* range.*clamp/i,
    meaning: 'Weights beyond the range of their new type are clamped.',
  },
  { pattern: /DOUBLE.*(?:FLOAT|float32)|casting double/i, meaning: 'DOUBLE values are narrowed to FLOAT.' },
  {
    pattern: /Using an engine plan file across different models of devices/i,
    meaning: 'The engine was built on another model of GPU: it may be slow or fail.',
  },
  {
    pattern: /Requested amount of GPU memory \((\d+) bytes\) could not be allocated/,
    meaning: 'TensorRT asked for $1 bytes of GPU memory in vain and skipped what needed them.',
  },
  {
    pattern: /(?:Skipping tactic|insufficient memory on requested size)/i,
    meaning: 'TensorRT skipped implementations for want of memory: a larger --workspace may make the engine faster.',
  },
  {
    pattern: /Calibrat(?:or|ion).*(?:not being used|without|missing)|Missing scale and zero-point/i,
    meaning: 'Some tensors have no INT8 scale: their layers stay in FP16 or FP32.',
  },
  {
    pattern: /engine was built with .*dynamic range|dynamic range/i,
    meaning: 'INT8 ranges are placeholders: times are right, results are not.',
  },
  { pattern: /TF32|deprecated|Deprecated/, meaning: undefined },
  { pattern: /different library version|linked against/i, meaning: undefined },
];

const MOST_OTHERS = 5;

/** Warnings in words, each once; those that the table does not know are quoted, at most five. */
export function explainWarnings({ messages }: Pick<TrtexecLog, 'messages'>): readonly string[] {
  const found = new Set<string>();
  const others: string[] = [];
  for (const { severity, text } of messages) {
    if (severity !== 'warning') continue;
    const plain = text.replace(/^\[TRT\] /, '').replace(/^\*?\s*/, '');
    const row = WARNINGS.find(({ pattern }) => pattern.test(plain));
    if (!row) others.push(plain.split('\n')[0]?.trim().slice(0, 300) ?? '');
    else if (row.meaning !== undefined) {
      const match = row.pattern.exec(plain);
      found.add(row.meaning.replace(/\$(\d)/g, (_, index: string) => match?.[Number(index)] ?? ''));
    }
  }
  const quoted = [...new Set(others)].filter((text) => text !== '');
  const left = quoted.length - MOST_OTHERS;
  return [
    ...found,
    ...quoted.slice(0, MOST_OTHERS).map((text) => `trtexec: ${text}`),
    ...(left > 0 ? [`trtexec gave ${left} more warnings; they are in its log.`] : []),
  ];
}
