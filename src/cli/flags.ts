import { ARRIVAL_PROCESSES, SCENARIO_KINDS } from '../bench/scenario.js';
import { SCORING_KINDS } from '../evaluate/scoring-kinds.js';
import { ALLOWED_OPERATORS, OPTIMIZE_LEVELS } from '../passes/levels.js';
import { PROTOCOLS } from '../serving/protocols.js';
import { AUTOSCALERS, KUBERNETES_SERVERS, ROUTERS, TOKEN_MODES } from '../targets/kubernetes/options.js';
import { GRAPH_OPTIMIZATIONS, SEQUENCE_STRATEGIES } from '../targets/triton/triton-options.js';
import { CHECKPOINT_MODES } from '../targets/vllm/checkpoint-schemes.js';
import { NUMBER_LIMITS, type WholeNumberLimits } from '../workflows/limits.js';
import {
  BENCH_DEFAULTS,
  COMPARE_DEFAULTS,
  OPTIMIZE_DEFAULTS,
  QUANTIZE_DEFAULTS,
  QUANTIZE_MODES,
  QUANTIZE_PLACES,
} from '../workflows/options.js';
import { DATA_FLAGS } from './data-flags.js';
import { DISTILL_FLAGS } from './distill-flags.js';
import { MAR_FLAGS } from './mar-flags.js';
import { PRUNE_FLAGS } from './prune-flags.js';
import { QUANTIZE_FLAGS } from './quantize-flags.js';
import { QUANTIZE_SEARCH_FLAGS } from './quantize-search-flags.js';
import { TENSORRT_FLAGS } from './tensorrt-flags.js';

/** One flag as data: parsing, help, completion and the docs page come from it. */
export interface FlagDefinition extends WholeNumberLimits {
  readonly short?: string;
  /** Name of the value in help, for example `PATH`. Without it the flag is a switch. */
  readonly value?: string;
  /**
   * The value may be left out, which gives an empty text. What follows the flag is its value when it looks like this, and
   * the next argument otherwise.
   */
  readonly optionalValue?: RegExp;
  /** `text` by default; `integer` is checked against the limits, and so is each of `integers`, a list with commas. */
  readonly type?: 'text' | 'integer' | 'integers';
  /** Of `integers`: they are written `intra=2,inter=1` in any order, and one that is not there is 0. */
  readonly parts?: readonly string[];
  readonly choices?: readonly string[];
  /** May be given several times; the values form a list. */
  readonly repeatable?: boolean;
  /** The value is a path: completion offers files. */
  readonly path?: boolean;
  /** Shown in help; the workflow applies it. */
  readonly default?: string | number;
  readonly group: FlagGroup;
  /** One phrase, lower case, no full stop, at most 50 characters so that help keeps to 80 columns. */
  readonly summary: string;
}
/** Headings of help, in this order. */
export const FLAG_GROUPS = [
  'Output',
  'Method',
  'Data',
  'Layers',
  'TensorRT',
  'Gates',
  'Run',
  'Server',
  'Everywhere',
] as const;
export type FlagGroup = (typeof FLAG_GROUPS)[number];

/** Every flag of every command. One name has one meaning everywhere. */
export const FLAGS = {
  output: { short: 'o', value: 'PATH', path: true, group: 'Output', summary: 'file to write; - is stdout' },
  force: { group: 'Output', summary: 'replace an existing output' },
  'dry-run': { group: 'Output', summary: 'do everything except writing' },
  explain: {
    value: 'PASS',
    optionalValue: /^[a-z0-9]+(-[a-z0-9]+)+$/,
    group: 'Output',
    summary: 'list each rewrite, and why others failed',
  },
  'dump-after': { value: 'DIR', path: true, group: 'Output', summary: 'write the graph as text after each pass' },
  'print-recipe': { group: 'Output', summary: 'print the passes as JSON and do nothing' },
  dump: { group: 'Output', summary: 'print the model as ONNX text' },
  mode: {
    value: 'MODE',
    choices: [...new Set([...QUANTIZE_MODES, ...CHECKPOINT_MODES])],
    default: QUANTIZE_DEFAULTS.mode,
    group: 'Method',
    summary: 'static, dynamic, fp16 …; vllm: w8a8 …',
  },
  ...PRUNE_FLAGS,
  ...QUANTIZE_FLAGS,
  ...QUANTIZE_SEARCH_FLAGS,
  operators: {
    value: 'SET',
    choices: ALLOWED_OPERATORS,
    default: QUANTIZE_DEFAULTS.operators,
    group: 'Method',
    summary: 'portable (standard ONNX) or ort',
  },
  level: {
    value: 'LEVEL',
    choices: OPTIMIZE_LEVELS,
    default: OPTIMIZE_DEFAULTS.level,
    group: 'Method',
    summary: 'basic (no fusion), standard or max',
  },
  passes: { value: 'LIST', group: 'Method', summary: '+a,-b adds and removes; a,b is exactly these' },
  recipe: { value: 'PATH', path: true, group: 'Method', summary: 'passes as --print-recipe prints them' },
  'max-growth': {
    value: 'SIZE',
    group: 'Method',
    summary: 'how much larger the file may get: 2MB, 5%, none',
  },
  opset: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.opset,
    group: 'Method',
    summary: 'upgrade to this ai.onnx opset first',
  },
  'set-dim': {
    value: 'NAME=N',
    repeatable: true,
    group: 'Method',
    summary: 'fix a size in the model: batch=1, x:0=1',
  },
  dynamic: {
    value: 'NAME',
    repeatable: true,
    group: 'Method',
    summary: 'open a size: batch, batch=x:0,y:0',
  },
  'inline-functions': { group: 'Method', summary: 'inline local functions where they are called' },
  'per-tensor': { group: 'Method', summary: 'one scale per weight, not per channel' },
  'keep-io': { group: 'Method', summary: 'fp16: keep input and output types (default)' },
  'fp16-io': { group: 'Method', summary: 'fp16: inputs and outputs become fp16 too' },
  data: { value: 'PATH', path: true, group: 'Data', summary: 'samples: .npz .jsonl .csv .txt, a folder, images' },
  eval: { value: 'PATH', path: true, group: 'Data', summary: 'labelled samples to measure the metric on' },
  samples: { value: 'N', type: 'integer', ...NUMBER_LIMITS.samples, group: 'Data', summary: 'use at most N samples' },
  batch: { value: 'N', type: 'integers', ...NUMBER_LIMITS.batch, group: 'Data', summary: 'samples in one run' },
  dim: { value: 'NAME=N', repeatable: true, group: 'Data', summary: 'size: seq=128 (tensorrt: batch=1:8:32)' },
  seed: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.seed,
    default: COMPARE_DEFAULTS.seed,
    group: 'Data',
    summary: 'seed of synthetic inputs',
  },
  ...DATA_FLAGS,
  ...MAR_FLAGS,
  metric: {
    value: 'NAME',
    choices: SCORING_KINDS,
    group: 'Data',
    summary: 'how labels are scored: top-1, error, auc …',
  },
  'output-name': { value: 'NAME', group: 'Data', summary: 'the output that the labels describe' },
  ...DISTILL_FLAGS,
  include: { value: 'GLOB', repeatable: true, group: 'Layers', summary: 'only nodes of this name or op type' },
  exclude: { value: 'GLOB', repeatable: true, group: 'Layers', summary: 'keep these nodes in FP32' },
  'no-optimize': { group: 'Method', summary: 'do not optimize the graph first' },
  'fix-initializers': { group: 'Method', summary: 'turn inputs with a default into constants' },
  'no-verify': { group: 'Run', summary: 'do not load, run and compare the result' },
  'no-speed-gate': { group: 'Run', summary: 'keep slower rewrites; skip the measurement' },
  'allow-links': { group: 'Run', summary: 'follow links among external data files' },
  'allow-invalid': { group: 'Run', summary: 'continue with a model that is not valid ONNX' },
  scenario: {
    value: 'NAME',
    choices: SCENARIO_KINDS,
    group: 'Method',
    summary: 'single-stream, multi-stream, offline, server',
  },
  rate: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.rate,
    group: 'Method',
    summary: 'requests per second, in an open loop',
  },
  arrivals: {
    value: 'KIND',
    choices: ARRIVAL_PROCESSES,
    default: BENCH_DEFAULTS.arrivals,
    group: 'Method',
    summary: 'arrivals of --rate: poisson or constant',
  },
  streams: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.streams,
    default: BENCH_DEFAULTS.streams,
    group: 'Method',
    summary: 'concurrent processes in multi-stream',
  },
  duration: { value: 'TIME', default: '2s', group: 'Method', summary: 'time to measure each configuration' },
  processes: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.processes,
    default: BENCH_DEFAULTS.processes,
    group: 'Method',
    summary: 'fresh processes, each with a cold start',
  },
  profile: { group: 'Method', summary: 'show the time of each operator' },
  budget: { value: 'M=LIMIT', repeatable: true, group: 'Gates', summary: 'p99=10ms, size=25MB, drop=1% …' },
  baseline: { value: 'PATH', path: true, group: 'Gates', summary: 'model to beat, or an earlier report.json' },
  'min-effect': { value: 'SHARE', default: '3%', group: 'Gates', summary: 'slow-down to ignore' },
  'max-loss': { value: 'SHARE', group: 'Gates', summary: 'short for --budget drop: 1%' },
  'min-sqnr': { value: 'DB', group: 'Gates', summary: 'short for --budget sqnr: 30' },
  'max-time': {
    value: 'TIME',
    default: '60s',
    group: 'Gates',
    summary: 'undecided gates are inconclusive then',
  },
  'allow-inconclusive': { group: 'Gates', summary: 'let pass what could not be decided (exit 0)' },
  report: { value: 'PATH', path: true, repeatable: true, group: 'Output', summary: 'write a report: .html or .json' },
  strict: { group: 'Gates', summary: 'warnings fail, too' },
  junit: { value: 'PATH', path: true, group: 'Output', summary: 'write JUnit XML' },
  markdown: { value: 'PATH', path: true, group: 'Output', summary: 'write Markdown' },
  'github-benchmark': { value: 'PATH', path: true, group: 'Output', summary: 'write github-action-benchmark JSON' },
  bencher: { value: 'PATH', path: true, group: 'Output', summary: 'write JSON for Bencher' },
  openmetrics: { value: 'PATH', path: true, group: 'Output', summary: 'write OpenMetrics text' },
  'no-github': { group: 'Output', summary: 'no summary or annotations in Actions' },
  name: { value: 'NAME', group: 'Server', summary: 'name of the model on the server' },
  version: { value: 'N', group: 'Server', summary: 'version to write: a number, or next' },
  'max-batch': {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS['max-batch'],
    group: 'Server',
    summary: 'rows that run together at most; 0 for one',
  },
  preferred: {
    value: 'LIST',
    type: 'integers',
    ...NUMBER_LIMITS.batch,
    group: 'Server',
    summary: 'batch sizes to wait for: 4,8',
  },
  'max-delay': { value: 'TIME', group: 'Server', summary: 'longest wait for a batch to fill: 100us' },
  instances: {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS.instances,
    group: 'Server',
    summary: 'copies of the model on each device',
  },
  device: { value: 'DEVICE', group: 'Server', summary: 'cpu, gpu or gpu:0,1' },
  priority: { value: 'N[:M]', group: 'Server', summary: 'N priority levels, M of a plain request' },
  'queue-timeout': { value: 'TIME', group: 'Server', summary: 'reject after 50ms; 50ms:delay serves last' },
  accelerator: { value: 'NAME', group: 'Server', summary: 'tensorrt, tensorrt:fp16 or openvino' },
  optimization: {
    value: 'LEVEL',
    choices: GRAPH_OPTIMIZATIONS,
    group: 'Server',
    summary: 'of the graph: off, basic, extended or all',
  },
  cache: { group: 'Server', summary: 'keep responses for equal requests' },
  policy: { value: 'WHICH', group: 'Server', summary: 'versions: latest:2, specific:1,3 or all' },
  sequence: {
    value: 'HOW',
    choices: SEQUENCE_STRATEGIES,
    group: 'Server',
    summary: 'stateful models: direct or oldest',
  },
  set: { value: 'FIELD=VALUE', repeatable: true, group: 'Server', summary: 'any other field of the configuration' },
  warmup: { group: 'Server', summary: 'run the model before it is ready' },
  labels: { value: 'PATH', path: true, group: 'Data', summary: 'class names: lines or JSON; images: also CSV' },
  ensemble: { value: 'A,B', group: 'Method', summary: 'models of the repository, one after the other' },
  map: { value: 'TO=FROM', repeatable: true, group: 'Method', summary: 'connect: b.x=a.y, b.x=NAME, NAME=b.y' },
  platform: {
    value: 'NAME',
    choices: ['onnxruntime_onnx', 'tensorrt_plan'],
    group: 'Method',
    summary: 'kind of the file: tensorrt_plan is an engine',
  },
  'engine-input': { value: 'SPEC', repeatable: true, group: 'Method', summary: 'of an engine: x:float:-1,3,224,224' },
  'engine-output': { value: 'SPEC', repeatable: true, group: 'Method', summary: 'of an engine: y:float:-1,1000' },
  link: { group: 'Output', summary: 'link model files instead of copying them' },
  ...TENSORRT_FLAGS,
  url: { value: 'URL', group: 'Method', summary: 'measure a running server instead' },
  protocol: {
    value: 'NAME',
    choices: PROTOCOLS,
    group: 'Server',
    summary: 'default: detected from URL or server',
  },
  model: { value: 'NAME', group: 'Server', summary: 'model on the server, if not in the URL' },
  concurrency: {
    value: 'N',
    type: 'integers',
    ...NUMBER_LIMITS.concurrency,
    group: 'Server',
    summary: 'concurrent requests, in a closed loop',
  },
  header: { value: 'TEXT', repeatable: true, group: 'Server', summary: 'header of every request: "Name: value"' },
  timeout: { value: 'TIME', default: '30s', group: 'Server', summary: 'time limit of one response' },
  'grpc-url': { value: 'URL', group: 'Server', summary: 'its gRPC address: grpc://HOST:8001' },
  tritonserver: { value: 'PATH', path: true, group: 'Server', summary: 'program of Triton, if not on the PATH' },
  torchserve: { value: 'PATH', path: true, group: 'Server', summary: 'program of TorchServe, if not on the PATH' },
  'start-timeout': {
    value: 'TIME',
    default: '5m',
    group: 'Server',
    summary: 'time limit to start and load models',
  },
  'max-tokens': {
    value: 'N',
    type: 'integer',
    ...NUMBER_LIMITS['max-tokens'],
    group: 'Server',
    summary: 'tokens of a completion',
  },
  for: {
    value: 'PLACE',
    choices: [...QUANTIZE_PLACES, 'vllm', ...KUBERNETES_SERVERS],
    group: 'Method',
    summary: 'where it will run: tensorrt, vllm; triton …',
  },
  namespace: { value: 'NAME', group: 'Server', summary: 'namespace of the objects' },
  image: { value: 'IMAGE', group: 'Server', summary: 'container image of the server, with a tag' },
  storage: { value: 'WHERE', group: 'Server', summary: 'pvc[:NAME], s3://…, image[:REF], hostPath:/…' },
  replicas: { value: 'N', group: 'Server', summary: 'pods: 2, or 2:10 to scale between them' },
  autoscale: { value: 'HOW', choices: AUTOSCALERS, group: 'Server', summary: 'keda or hpa, on time in the queue' },
  'max-queue': { value: 'TIME', group: 'Server', summary: 'mean time in the queue to scale for' },
  prometheus: { value: 'URL', group: 'Server', summary: 'Prometheus, for KEDA' },
  split: { value: 'LIST', group: 'Server', summary: 'percent by version: 1=90,2=10' },
  gateway: { value: 'NAME', group: 'Server', summary: 'gateway of the routes: NAMESPACE/NAME' },
  route: { value: 'HOW', choices: ROUTERS, group: 'Server', summary: 'routes: gateway (Gateway API) or istio' },
  host: { value: 'HOST', group: 'Server', summary: 'host name of the routes' },
  'rate-limit': { value: 'N/s', group: 'Server', summary: 'requests per s, min or h (Envoy Gateway)' },
  'pod-monitor': { group: 'Server', summary: 'PodMonitor instead of scrape annotations' },
  token: { value: 'MODE', choices: TOKEN_MODES, group: 'Server', summary: "TorchServe's token: off or on" },
  'no-measure': { group: 'Run', summary: 'do not run the model: estimate by its size' },
  threads: {
    value: 'N',
    type: 'integers',
    ...NUMBER_LIMITS.threads,
    group: 'Run',
    summary: 'threads of ONNX Runtime',
  },
  mem: { value: 'SIZE', group: 'Run', summary: 'memory limit: 512MB, 2GB' },
  ep: { value: 'NAME', repeatable: true, group: 'Run', summary: 'execution provider, see doctor' },
  json: { group: 'Everywhere', summary: 'print one JSON document' },
  quiet: { short: 'q', group: 'Everywhere', summary: 'no progress and no summary' },
  verbose: { short: 'v', group: 'Everywhere', summary: 'show more detail' },
  debug: { group: 'Everywhere', summary: 'show the stack of an error' },
  color: { group: 'Everywhere', summary: 'force colour' },
  'no-color': { group: 'Everywhere', summary: 'no colour' },
  help: { short: 'h', group: 'Everywhere', summary: 'show help' },
} as const satisfies Record<string, FlagDefinition>;

export type FlagName = keyof typeof FLAGS;

/** Flags by the names they had; errors tell the new one. */
export const RENAMED_FLAGS: ReadonlyMap<string, FlagName> = new Map([['target', 'operators']]);

/** Flags that every command takes. */
export const COMMON_FLAGS = [
  'json',
  'quiet',
  'verbose',
  'debug',
  'color',
  'no-color',
  'help',
] as const satisfies readonly FlagName[];

type FlagValue<F extends FlagDefinition> = F extends { readonly repeatable: true }
  ? readonly string[]
  : F extends { readonly choices: readonly (infer C)[] }
    ? C
    : F extends { readonly type: 'integers' }
      ? readonly number[]
      : F extends { readonly type: 'integer' }
        ? number
        : F extends { readonly value: string }
          ? string
          : boolean;

/** Parsed values; a flag that was not given is absent. */
export type FlagValues = { readonly [K in FlagName]?: FlagValue<(typeof FLAGS)[K]> };

/** Fields of a row that are others for one command; undefined takes a field away. */
export type FlagOverride = { readonly [K in keyof FlagDefinition]?: FlagDefinition[K] | undefined };

/** What a command changes in the rows of its flags: words and defaults, never the type of a value. */
export type FlagOverrides = { readonly [K in FlagName]?: FlagOverride };

/** The row of a flag, without its literal types, as a command has it. */
export function flagDefinition(name: FlagName, overrides: FlagOverrides = {}): FlagDefinition {
  const override = overrides[name];
  if (override === undefined) return FLAGS[name];
  const row = Object.entries({ ...FLAGS[name], ...override }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(row) as unknown as FlagDefinition;
}

/** How a flag is written in help: `-o, --output PATH`. */
export function flagSyntax(name: FlagName, overrides: FlagOverrides = {}): string {
  const { short, value, optionalValue } = flagDefinition(name, overrides);
  const shown = optionalValue ? `[${value}]` : value;
  return `${short === undefined ? '' : `-${short}, `}--${name}${shown === undefined ? '' : ` ${shown}`}`;
}
