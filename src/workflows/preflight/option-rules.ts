/** Commands with options of their own; the rules name them as the command line does. */
export type RuledCommand =
  | 'sensitivity'
  | 'inspect'
  | 'compare'
  | 'bench'
  | 'quantize'
  | 'optimize'
  | 'prune'
  | 'tensorrt'
  | 'distill';

/**
 * What goes together and what does not. An option is written as on the command line: `--data` for one that is given at all,
 * `--mode fp16` for one that has this value, `--budget drop` for a budget of this metric.
 */
export interface OptionRule {
  /** The commands it holds for; absent for every one. */
  readonly commands?: readonly RuledCommand[];
  /** It holds for each of these. */
  readonly options: readonly string[];
  /** Refused beside any of these. */
  readonly excludes?: readonly string[];
  /** Refused unless this is given. */
  readonly needs?: string;
  /** Nothing comes of it beside all of these: a warning. */
  readonly idleWith?: readonly string[];
  /** Nothing comes of it without any of these: a warning. Beside `idleWith`, both have to be so. */
  readonly idleWithout?: readonly string[];
  readonly why?: string;
  readonly hint?: string;
}

const BY_RUNNING = 'the result does not run';

/** Every rule. Refused is what contradicts itself; what merely does nothing is a warning. */
export const OPTION_RULES: readonly OptionRule[] = [
  { options: ['--quiet'], excludes: ['--verbose'], hint: 'leave one out' },
  { commands: ['inspect'], options: ['--dump'], excludes: ['--json'], hint: 'leave one out' },
  {
    commands: ['quantize', 'optimize', 'prune'],
    options: ['-o -'],
    excludes: ['--json'],
    why: 'both write to stdout',
    hint: 'write the model to a file with -o PATH',
  },

  { commands: ['quantize'], options: ['--keep-io'], excludes: ['--fp16-io'] },
  { commands: ['quantize'], options: ['--fp16-io'], needs: '--mode fp16', hint: 'add --mode fp16' },
  {
    commands: ['quantize'],
    options: ['--per-tensor', '--reduce-range', '--batch'],
    excludes: ['--mode fp16', '--mode bf16'],
    why: 'it applies to INT8 only',
  },
  {
    commands: ['quantize', 'sensitivity'],
    options: ['--mode static', '--mode fp8'],
    needs: '--data',
    why: 'activation ranges are measured on samples',
    hint: 'add --data samples.npz, or use --mode dynamic',
  },
  {
    commands: ['quantize'],
    options: ['--mode bf16'],
    needs: '--for tensorrt',
    why: "ONNX Runtime's CPU provider does not load it, and TensorRT does",
  },
  {
    commands: ['quantize'],
    options: ['--for tensorrt'],
    excludes: ['--mode dynamic'],
    why: 'TensorRT has no operators for dynamic INT8',
    hint: 'add --data samples.npz for static INT8, or use --mode fp16',
  },
  { commands: ['quantize'], options: ['--float-weights'], needs: '--for tensorrt', hint: 'add --for tensorrt' },
  {
    commands: ['quantize'],
    options: ['--float-weights'],
    excludes: ['--mode fp16', '--mode bf16', '--mode fp8'],
    why: 'it applies to INT8 only',
  },
  {
    commands: ['quantize'],
    options: ['--reduce-range'],
    excludes: ['--for tensorrt', '--mode fp8'],
    why: 'TensorRT has no 7-bit weights',
  },
  {
    commands: ['quantize', 'prune'],
    options: ['--eval'],
    excludes: ['--no-verify'],
    why: 'the metric is measured by running the result',
  },
  {
    commands: ['compare'],
    options: ['--metric', '--output-name', '--max-loss', '--budget accuracy', '--budget drop'],
    needs: '--data',
    why: 'labels are stored with the samples',
    hint: 'add --data samples.npz with labels',
  },
  {
    commands: ['quantize', 'prune'],
    options: ['--metric', '--output-name'],
    idleWithout: ['--eval', '--data'],
    why: 'there are no labels in that case',
  },
  {
    commands: ['quantize', 'prune'],
    options: ['--max-loss', '--budget accuracy', '--budget drop'],
    needs: '--eval',
    why: 'labels are stored with the samples',
    hint: 'add --eval samples.npz with labels',
  },
  {
    commands: ['quantize', 'prune'],
    options: ['--min-sqnr', '--budget agreement', '--budget sqnr', '--budget speed-up'],
    excludes: ['--no-verify'],
    why: BY_RUNNING,
  },
  {
    commands: ['quantize', 'compare', 'prune'],
    options: ['--budget accuracy'],
    excludes: ['--metric error'],
    why: 'lower is better for an error',
    hint: 'set --budget drop=1% instead: how much larger the error may become',
  },
  {
    commands: ['optimize'],
    options: ['--budget speed-up'],
    excludes: ['--no-speed-gate'],
    why: 'latency is not measured in that case',
  },
  {
    commands: ['quantize', 'compare', 'optimize', 'prune', 'distill'],
    options: ['--allow-inconclusive'],
    idleWithout: ['--budget', '--max-loss', '--min-sqnr'],
    why: 'no budget is checked in that case',
  },
  { commands: ['compare'], options: ['--batch'], idleWithout: ['--data'], why: 'synthetic inputs run one at a time' },
  { commands: ['quantize'], options: ['--samples'], idleWithout: ['--data'], why: 'it limits calibration samples' },
  { commands: ['quantize'], options: ['--data'], idleWith: ['--mode dynamic', '--no-verify'] },
  {
    commands: ['quantize'],
    options: ['--operators ort'],
    idleWith: ['--mode static'],
    why: 'static INT8 supports standard operators only',
  },
  {
    commands: ['quantize'],
    options: ['--operators ort'],
    idleWith: ['--mode fp16', '--mode bf16', '--mode fp8'],
    why: 'it supports standard operators only',
  },
  { commands: ['quantize'], options: ['--ep'], idleWith: ['--no-verify'], why: BY_RUNNING },
  {
    commands: ['quantize'],
    options: ['--threads', '--batch', '--seed', '--dim'],
    idleWith: ['--no-verify'],
    idleWithout: ['--data'],
    why: BY_RUNNING,
  },
  {
    commands: ['quantize', 'compare'],
    options: ['--seed'],
    idleWith: ['--data'],
    why: 'no inputs are generated in that case',
  },

  {
    commands: ['prune'],
    options: ['--pattern'],
    excludes: ['--method structured', '--method channels', '--method heads', '--method neurons', '--method layers'],
    why: 'a pattern is of single weights',
    hint: 'add --method obs or --method magnitude',
  },
  {
    commands: ['prune'],
    options: ['--pattern'],
    excludes: ['--amount', '--global'],
    why: 'N:M says how many weights stay in every layer',
  },
  {
    commands: ['prune'],
    options: [
      '--target-macs',
      '--target-params',
      '--target-latency',
      '--score',
      '--align',
      '--through-normalization',
      '--allocation',
      '--steps',
    ],
    excludes: ['--method magnitude', '--method obs', '--method wanda'],
    why: 'it applies to whole units, and single zeros take nothing away',
  },
  {
    commands: ['prune'],
    options: ['--score', '--align', '--through-normalization', '--allocation', '--steps', '--global'],
    excludes: ['--method layers'],
    why: 'it applies to units within layers, and whole blocks are dropped',
  },
  {
    commands: ['prune'],
    options: ['--allocation'],
    excludes: ['--global'],
    hint: 'write --allocation global alone',
  },
  {
    commands: ['prune'],
    options: ['--target-latency', '--allocation sensitivity', '--allocation latency'],
    excludes: ['--no-verify'],
    why: 'models are run and timed for it',
  },
  {
    commands: ['prune'],
    options: ['--target-latency'],
    excludes: ['--target-macs', '--target-params', '--steps'],
    why: 'each decides how much is cut',
  },
  {
    commands: ['prune'],
    options: ['--score activation', '--score obs'],
    needs: '--data',
    why: 'what layers read is measured on samples',
    hint: 'add --data samples.npz, or use --score l2',
  },
  {
    commands: ['prune'],
    options: ['--method obs', '--method wanda'],
    needs: '--data',
    why: 'what layers read is measured on samples',
    hint: 'add --data samples.npz, or use --method magnitude',
  },
  {
    commands: ['prune'],
    options: ['--method obs', '--method wanda'],
    excludes: ['--global', '--no-verify'],
    why: 'layers are pruned one after the other, by running the model',
  },
  {
    commands: ['prune'],
    options: ['--target-macs', '--target-params', '--target-latency'],
    excludes: ['--amount'],
    why: 'the target decides how much is cut',
    hint: 'leave --amount out',
  },
  {
    commands: ['prune'],
    options: ['--data', '--ep', '--threads', '--samples'],
    idleWith: ['--no-verify'],
    why: BY_RUNNING,
  },
  { commands: ['prune'], options: ['--samples'], idleWithout: ['--data'], why: 'it limits the samples of the data' },

  {
    commands: ['distill'],
    options: ['--teacher-logits'],
    excludes: [
      '--data',
      '--student-data',
      '--map',
      '--feature',
      '--teacher-cache',
      '--batch',
      '--samples',
      '--output-name',
      '--ep',
      '--threads',
    ],
    why: 'no model runs in that case',
  },
  {
    commands: ['distill'],
    options: ['--student-logits', '--labels'],
    needs: '--teacher-logits',
    why: 'models take their labels from the data',
    hint: 'add --teacher-logits teacher.npy',
  },
  {
    commands: ['distill'],
    options: ['--budget size', '--budget memory', '--budget macs', '--budget params', '--budget speed-up'],
    excludes: ['--teacher-logits'],
    why: 'files of logits do not tell what a model costs',
  },
  {
    commands: ['distill'],
    options: ['--budget memory', '--budget speed-up'],
    excludes: ['--no-measure'],
    why: 'latency and memory are not measured in that case',
  },
  {
    commands: ['distill'],
    options: ['--cache-top-k'],
    needs: '--teacher-cache',
    why: 'it says what the cache keeps',
  },
  { commands: ['distill'], options: ['--no-measure'], idleWith: ['--teacher-logits'], why: 'no model runs' },

  { commands: ['optimize'], options: ['--recipe'], excludes: ['--level', '--passes'] },
  {
    commands: ['optimize'],
    options: ['--print-recipe'],
    excludes: ['-o', '--report', '--dump-after', '--explain'],
    why: 'it only prints the passes',
  },
  { commands: ['optimize'], options: ['--data'], idleWith: ['--no-verify'], why: BY_RUNNING },
  {
    commands: ['optimize'],
    options: ['--threads', '--ep', '--seed', '--dim'],
    idleWith: ['--no-verify', '--no-speed-gate'],
    why: 'nothing is run',
  },

  {
    commands: ['tensorrt'],
    options: ['--docker'],
    excludes: ['--trtexec'],
    why: 'the image has a trtexec of its own',
  },
  {
    commands: ['tensorrt'],
    options: ['--calib'],
    excludes: ['--precision model', '--precision fp16', '--precision bf16', '--precision fp8', '--data'],
    why: 'a calibration cache is for --precision int8 or best without samples',
  },
  { commands: ['tensorrt'], options: ['--calib'], needs: '--precision', hint: 'add --precision int8' },
  {
    commands: ['tensorrt'],
    options: ['--no-measure'],
    excludes: [
      '--baseline',
      '--budget p50',
      '--budget p90',
      '--budget p95',
      '--budget p99',
      '--budget throughput',
      '--duration',
      '--processes',
      '--inference-streams',
      '--no-cuda-graph',
      '--transfers',
      '--percentile',
    ],
    why: 'nothing is measured in that case',
  },
  { commands: ['tensorrt'], options: ['--samples'], idleWithout: ['--data'], why: 'it limits calibration samples' },
  {
    commands: ['tensorrt'],
    options: ['--min-effect'],
    needs: '--baseline',
    why: 'it applies to the difference from a baseline',
  },

  {
    commands: ['bench'],
    options: [
      '--threads',
      '--mem',
      '--ep',
      '--profile',
      '--scenario',
      '--streams',
      '--rate',
      '--arrivals',
      '--data',
      '--batch',
      '--seed',
      '--max-time',
      '--url',
      '--github-benchmark',
      '--bencher',
      '--openmetrics',
      '--allow-links',
      '--allow-invalid',
    ],
    excludes: ['--engine'],
    why: 'trtexec measures the engine',
  },
  {
    commands: ['bench'],
    options: [
      '--trtexec',
      '--docker',
      '--tensorrt-version',
      '--gpu',
      '--plugin',
      '--inference-streams',
      '--no-cuda-graph',
      '--transfers',
      '--percentile',
      '--build-timeout',
      '--trtexec-flag',
      '--trtexec-verbose',
    ],
    needs: '--engine',
    why: 'it applies to TensorRT engines only',
  },

  {
    commands: ['bench'],
    options: ['--protocol', '--model', '--concurrency', '--header', '--timeout', '--max-tokens'],
    needs: '--url',
    why: 'it applies to a running server only',
  },
  {
    commands: ['bench'],
    options: [
      '--threads',
      '--mem',
      '--ep',
      '--profile',
      '--baseline',
      '--min-effect',
      '--processes',
      '--scenario',
      '--streams',
      '--allow-links',
      '--allow-invalid',
    ],
    excludes: ['--url'],
  },
  {
    commands: ['bench'],
    options: ['--rate'],
    excludes: ['--scenario single-stream', '--scenario multi-stream', '--scenario offline', '--concurrency'],
  },
  {
    commands: ['bench'],
    options: ['--scenario server', '--arrivals'],
    needs: '--rate',
    hint: 'add --rate 100, requests per second',
  },
  {
    commands: ['bench'],
    options: ['--streams'],
    excludes: ['--scenario single-stream', '--scenario offline', '--scenario server', '--rate'],
  },
  {
    commands: ['bench'],
    options: ['--min-effect'],
    needs: '--baseline',
    why: 'it applies to the difference from a baseline',
  },
];
