import { COMMAND_GROUPS, type CommandDefinition, type CommandFamily, MODEL } from './command-definition.js';
import { READING_FLAGS } from './data-flags.js';
import { DISTILL } from './distill-command.js';
import type { FlagName } from './flags.js';
import { PACKAGE_COMMANDS } from './package-commands.js';
import { PRUNE_METHOD_FLAG } from './prune-flags.js';
import { QUANTIZE_OVERRIDES } from './quantize-flags.js';
import { SENSITIVITY } from './sensitivity-command.js';
import { GATE_FLAGS, LENIENT_FLAGS, METRIC_FLAGS, RESULT_FLAGS, SAMPLE_FLAGS } from './shared-flags.js';
import { TENSORRT } from './tensorrt-command.js';
import { WEIGHT_METHOD_FLAG } from './weight-only-flags.js';

export type { ArgumentDefinition, CommandDefinition, CommandFamily, CommandGroup } from './command-definition.js';
export { COMMAND_GROUPS };

export const COMMAND_FAMILIES: readonly CommandFamily[] = [
  {
    name: 'package',
    summary: 'Package a model for a server, and check packages',
    group: 'Serve',
    example: { command: 'serve-opt package triton model.onnx -o models/', summary: 'a Triton model repository' },
  },
];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Every command, in the order of help. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'inspect',
    summary: 'Show the contents of a model and what can be quantized',
    group: 'Look',
    arguments: [MODEL],
    flags: ['dim', 'dump', 'zeros', 'allow-links'],
    examples: [
      { command: 'serve-opt inspect model.onnx', summary: 'inputs, outputs, sizes, operators' },
      { command: 'serve-opt inspect model.onnx --zeros', summary: 'zeros, patterns, and who skips them' },
      { command: 'serve-opt inspect model.onnx --json', summary: 'everything, for scripts' },
    ],
    notes: ['Runs nothing. Weights of more than 64 MiB are read with --zeros only.'],
    load: () => import('./commands/inspect.js'),
  },
  {
    name: 'compare',
    summary: 'Run two models on the same inputs and show how far apart they are',
    group: 'Look',
    arguments: [
      { name: 'a', summary: 'path of the reference model', path: true },
      { name: 'b', summary: 'path of the model to compare with it', path: true },
    ],
    flags: [
      'report',
      'data',
      'samples',
      'batch',
      ...METRIC_FLAGS,
      'budget',
      'allow-inconclusive',
      'dim',
      'seed',
      'threads',
      'ep',
    ],
    moreFlags: ['max-loss', 'min-sqnr', 'junit', 'markdown', 'allow-links', 'allow-invalid', 'mem', ...READING_FLAGS],
    examples: [
      { command: 'serve-opt compare model.onnx model.int8.onnx', summary: 'synthetic inputs' },
      { command: 'serve-opt compare model.onnx model.int8.onnx --data val.npz', summary: 'real ones' },
    ],
    notes: [
      'Labels beside the data add a metric; the output shows what is scored, and why.',
      'Budgets: accuracy, drop, agreement, sqnr, speed-up, size, macs, params.',
      'Exit codes: 0 done or passed, 4 a budget is broken, 5 inconclusive.',
    ],
    load: () => import('./commands/compare.js'),
  },
  {
    name: 'passes',
    summary: 'List the passes, or show one',
    group: 'Look',
    arguments: [{ name: 'name', summary: 'a pass to show with its equation and conditions', optional: true }],
    flags: [],
    examples: [
      { command: 'serve-opt passes', summary: 'all of them' },
      { command: 'serve-opt passes fold-constants', summary: 'one in full' },
    ],
    load: () => import('./commands/passes.js'),
  },
  {
    name: 'bench',
    summary: 'Measure latency, throughput, memory, cold start; judge budgets',
    group: 'Measure',
    arguments: [{ ...MODEL, optional: true, variadic: true }],
    flags: [
      'report',
      'scenario',
      'rate',
      'duration',
      'profile',
      'data',
      'batch',
      'dim',
      'budget',
      'baseline',
      'allow-inconclusive',
      'threads',
      'ep',
      'url',
      'engine',
    ],
    moreFlags: [
      'max-time',
      'mem',
      'min-effect',
      'junit',
      'markdown',
      'github-benchmark',
      'bencher',
      'openmetrics',
      'no-github',
      'arrivals',
      'streams',
      'processes',
      'seed',
      ...LENIENT_FLAGS,
      'protocol',
      'model',
      'concurrency',
      'header',
      'timeout',
      'max-tokens',
      'trtexec',
      'docker',
      'tensorrt-version',
      'gpu',
      'plugin',
      'inference-streams',
      'no-cuda-graph',
      'transfers',
      'percentile',
      'build-timeout',
      'trtexec-flag',
      'trtexec-verbose',
      ...READING_FLAGS,
    ],
    examples: [
      { command: 'serve-opt bench model.onnx', summary: 'synthetic inputs' },
      { command: 'serve-opt bench model.onnx --budget p99=10ms', summary: 'exit 4 if it is broken' },
      { command: 'serve-opt bench new.onnx --baseline old.onnx', summary: 'exit 4 if it is slower' },
      { command: 'serve-opt bench model.onnx --threads 1,2 --batch 1,8', summary: 'a sweep' },
    ],
    notes: ['Exit codes: 0 done or passed, 4 a gate failed, 5 inconclusive.'],
    load: () => import('./commands/bench.js'),
  },
  DISTILL,
  SENSITIVITY,
  {
    name: 'quantize',
    summary: 'Make a model smaller and faster, and check the result',
    group: 'Change',
    arguments: [MODEL],
    flags: [
      ...RESULT_FLAGS,
      'mode',
      'for',
      'operators',
      'data',
      'eval',
      'include',
      'exclude',
      'max-drop',
      'budget',
      'ep',
    ],
    moreFlags: [
      'threads',
      'max-size',
      'min-speedup',
      'allow-slower',
      'no-verify',
      ...METRIC_FLAGS,
      ...GATE_FLAGS,
      'samples',
      ...SAMPLE_FLAGS,
      'effort',
      'calibration',
      'format',
      'scheme',
      'override',
      'per-tensor',
      'reduce-range',
      'float-weights',
      'block',
      'method',
      'asymmetric',
      'no-optimize',
      'fix-initializers',
      'max-growth',
      'mem',
      'keep-io',
      'fp16-io',
      ...LENIENT_FLAGS,
      ...READING_FLAGS,
    ],
    examples: [
      { command: 'serve-opt quantize model.onnx --data samples.npz', summary: 'INT8, calibrated' },
      { command: 'serve-opt quantize model.onnx', summary: 'INT8 without data' },
      { command: 'serve-opt quantize m.onnx --data x.npz --eval val.npz --max-drop 0.5%', summary: 'or exit 4' },
    ],
    overrides: { ...QUANTIZE_OVERRIDES, ...WEIGHT_METHOD_FLAG },
    notes: ['Budgets: accuracy, drop, agreement, sqnr, speed-up, size, macs, params.'],
    load: () => import('./commands/quantize.js'),
  },
  {
    name: 'optimize',
    summary: 'Simplify and fuse the graph, and prove that it computes the same',
    group: 'Change',
    arguments: [MODEL],
    flags: [
      ...RESULT_FLAGS,
      'explain',
      'level',
      'operators',
      'passes',
      'recipe',
      'max-growth',
      'opset',
      'set-dim',
      'dynamic',
      'inline-functions',
      'data',
      'seed',
      'no-verify',
      'no-speed-gate',
      'threads',
      'ep',
    ],
    moreFlags: [
      'dim',
      'budget',
      'allow-inconclusive',
      'junit',
      'markdown',
      'fix-initializers',
      'mem',
      'dump-after',
      'print-recipe',
      ...LENIENT_FLAGS,
      ...READING_FLAGS,
    ],
    examples: [
      { command: 'serve-opt optimize model.onnx', summary: 'for any runtime' },
      { command: 'serve-opt optimize model.onnx --level max --operators ort', summary: 'for ONNX Runtime' },
      { command: 'serve-opt optimize model.onnx --set-dim batch=1', summary: 'for one sample' },
    ],
    load: () => import('./commands/optimize.js'),
  },
  {
    name: 'prune',
    summary: 'Cut channels, heads and neurons, or set weights to zero',
    group: 'Change',
    arguments: [MODEL],
    flags: [
      ...RESULT_FLAGS,
      'explain',
      'method',
      'amount',
      'target-macs',
      'target-params',
      'target-latency',
      'pattern',
      'data',
      'eval',
      'no-verify',
      'budget',
    ],
    moreFlags: [
      'score',
      'allocation',
      'steps',
      'include',
      'exclude',
      'global',
      'align',
      'through-normalization',
      ...METRIC_FLAGS,
      ...GATE_FLAGS,
      'samples',
      ...SAMPLE_FLAGS,
      'threads',
      'ep',
      'mem',
      'max-growth',
      ...LENIENT_FLAGS,
      ...READING_FLAGS,
    ],
    examples: [
      { command: 'serve-opt prune model.onnx --amount 0.3', summary: 'of all channels, heads, neurons' },
      { command: 'serve-opt prune model.onnx --target-macs 0.5x --explain', summary: 'and what stays' },
      { command: 'serve-opt prune model.onnx --method magnitude --pattern 2:4', summary: 'zeros' },
    ],
    overrides: {
      ...PRUNE_METHOD_FLAG,
      explain: { value: undefined, optionalValue: undefined, summary: 'list what stays whole, and why' },
      exclude: { summary: 'keep these nodes as they are' },
    },
    notes: ['A cut is checked: it computes what the original does with the units at zero.'],
    load: () => import('./commands/prune.js'),
  },
  ...PACKAGE_COMMANDS,
  TENSORRT,
  {
    name: 'package check',
    summary: 'Check a package as its server would, and explain what is wrong',
    group: 'Serve',
    arguments: [{ name: 'package', summary: 'path of a model repository, a model in it, or an archive', path: true }],
    flags: ['junit', 'strict'],
    examples: [
      { command: 'serve-opt package check models/', summary: 'every model, and ensembles as a whole' },
      { command: 'serve-opt package check models/resnet', summary: 'one model' },
      { command: 'serve-opt package check resnet.mar', summary: 'an archive for TorchServe' },
      { command: 'serve-opt package check models/ --junit check.xml', summary: 'for CI' },
    ],
    notes: [
      'Reads configurations, names and the graphs of ONNX files: no weights, no server.',
      'An error is what the server refuses; a warning is what it takes and ignores.',
    ],
    load: () => import('./commands/package-check.js'),
  },
  {
    name: 'doctor',
    summary: 'Show versions, execution providers that work, and tools found',
    group: 'Set up',
    arguments: [],
    flags: [],
    examples: [{ command: 'serve-opt doctor', summary: 'what works on this machine, and what does not' }],
    load: () => import('./commands/doctor.js'),
  },
  {
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    group: 'Set up',
    arguments: [{ name: 'shell', summary: 'bash, zsh or fish', choices: SHELLS }],
    flags: [],
    examples: [
      { command: 'source <(serve-opt completion bash)', summary: 'for this shell' },
      { command: 'serve-opt completion fish > ~/.config/fish/completions/serve-opt.fish', summary: 'permanently' },
    ],
    load: () => import('./commands/completion.js'),
  },
];

/** All flags of a command but the common ones. */
export function flagsOf({ flags, moreFlags = [] }: CommandDefinition): readonly FlagName[] {
  return [...flags, ...moreFlags];
}

/** The command of this name, of one word or two. */
export function findCommand(name: string): CommandDefinition | undefined {
  return COMMANDS.find((command) => command.name === name);
}

export function findFamily(name: string): CommandFamily | undefined {
  return COMMAND_FAMILIES.find((family) => family.name === name);
}

/** The commands of a family, in the order of help. */
export function membersOf({ name }: CommandFamily): readonly CommandDefinition[] {
  return COMMANDS.filter((command) => command.name.startsWith(`${name} `));
}

/** What the list of commands shows: commands of one word, and families. */
export function listedCommands(): readonly Pick<CommandDefinition, 'name' | 'summary' | 'group'>[] {
  return [...COMMANDS.filter(({ name }) => !name.includes(' ')), ...COMMAND_FAMILIES];
}

/** Words that a command line may begin with. */
export function firstWords(): readonly string[] {
  return listedCommands().map(({ name }) => name);
}
