import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = join(HERE, '..', 'bin', 'serve-opt.js');

/** The bars of the project; memory in bytes. */
const WEIGHT_ONLY = { wallRatio: 1 / 10, peakBytes: 350e6 };
/** A tenth of what ONNX Runtime's Python quantizer took when the target was set: 16.6 s and 3.0 GB. */
const BLOCKS = { wallSeconds: 1.66, peakBytes: 300e6 };
const STATIC = { wallRatio: 0.35, peakRatio: 1 / 2 };
/** Ranges from histograms. */
const HISTOGRAMS = { wallRatio: 1 / 5, peakRatio: 1 / 5 };
/** Memory with 16 times the samples. */
const MORE_SAMPLES = { besidePeakRatio: 1.05 };
/** 500 tensors of 2,048 bins, and what starting Node takes. */
const ENTROPY_RANGES = { wallSeconds: 2 };
/** Of the faster of two peers. */
const OPTIMIZE = { fasterRatio: 1 / 4 };

/**
 * What is measured, in the order of the table. `ours`, `peer` and `beside` are programs that take turns; `beside` are
 * more by label: yardsticks, of which the first has a bar, or the peer without its preparing step. `runs` overrides the number of turns.
 * @param {{ files: Record<string, string>, python: string | undefined, output: (side: string) => string }} setting
 */
export function benchmarkRows({ files, python, output }) {
  const node = (...args) => ({ command: process.execPath, args });
  const peer = (task, side, model, ...rest) =>
    python
      ? { command: python, args: [join(HERE, 'tasks', 'peers.py'), task, model, output(side), ...rest] }
      : undefined;
  const quantize = (model, ...flags) =>
    node(CLI, 'quantize', model, '--no-verify', '--quiet', '--force', '-o', output('ours'), ...flags);
  const optimize = (name, label, model) => ({
    name,
    label: `${label}: optimize`,
    input: model,
    ours: node(CLI, 'optimize', model, '--no-verify', '--no-speed-gate', '--quiet', '--force', '-o', output('ours')),
    peer: peer('onnxsim', 'peer', model),
    beside: { onnxslim: peer('onnxslim', 'beside', model) },
    goal: OPTIMIZE,
  });
  const calibrated = (name, peerTask) => ({
    name,
    label: `residual network: static INT8, ${name}`,
    input: residual,
    ours: quantize(residual, '--mode', 'static', '--data', samples, '--calibration', name),
    peer: peer(peerTask, 'peer', residual, samples),
    goal: HISTOGRAMS,
  });
  const counted = (name, count) =>
    quantize(residual, '--mode', 'static', '--data', manySamples, '--samples', `${count}`, '--calibration', name);
  const { transformer, residual, samples, manySamples } = files;
  return [
    {
      name: 'load-save',
      label: 'transformer: load and save',
      input: transformer,
      ours: node(join(HERE, 'tasks', 'load-save.js'), transformer, output('ours')),
      peer: peer('load-save', 'peer', transformer),
      beside: {
        cp: { command: 'cp', args: [transformer, output('beside')] },
        // serve-opt's output is on the disk when it ends; so is this.
        'cp and sync': { command: 'sh', args: ['-c', 'cp "$0" "$1" && sync "$1"', transformer, output('beside')] },
      },
      goal: { besideRatio: 2 },
    },
    {
      name: 'dynamic',
      label: 'transformer: dynamic INT8',
      input: transformer,
      ours: quantize(transformer, '--mode', 'dynamic'),
      peer: peer('quantize-dynamic', 'peer', transformer),
      beside: { bare: peer('quantize-dynamic-bare', 'beside', transformer) },
      goal: WEIGHT_ONLY,
    },
    {
      name: 'fp16',
      label: 'transformer: FLOAT16',
      input: transformer,
      ours: quantize(transformer, '--mode', 'fp16'),
      peer: peer('float16', 'peer', transformer),
      goal: WEIGHT_ONLY,
    },
    {
      name: 'int4',
      label: 'transformer: weights of 4 bits',
      input: transformer,
      ours: quantize(transformer, '--mode', 'int4', '--method', 'rtn', '--operators', 'ort'),
      peer: peer('quantize-int4', 'peer', transformer),
      beside: {
        'products alone': peer('quantize-int4-products', 'beside', transformer),
      },
      goal: BLOCKS,
    },
    {
      name: 'static',
      label: 'residual network: static INT8, minmax',
      input: residual,
      ours: quantize(residual, '--mode', 'static', '--data', samples, '--calibration', 'minmax'),
      peer: peer('quantize-static', 'peer', residual, samples),
      beside: { bare: peer('quantize-static-bare', 'beside', residual, samples) },
      goal: STATIC,
    },
    calibrated('percentile', 'quantize-static-percentile'),
    calibrated('entropy', 'quantize-static-entropy'),
    ...['minmax', 'entropy'].map((name) => ({
      name: `samples-${name}`,
      label: `residual network: 256 samples, ${name}`,
      input: residual,
      ours: counted(name, 256),
      beside: { '16 samples': counted(name, 16) },
      goal: MORE_SAMPLES,
    })),
    {
      name: 'entropy-ranges',
      label: 'entropy ranges of 500 tensors',
      ours: node(join(HERE, 'tasks', 'entropy-ranges.js'), '500'),
      goal: ENTROPY_RANGES,
    },
    optimize('optimize-transformer', 'transformer', transformer),
    optimize('optimize-residual', 'residual network', residual),
    {
      name: 'inspect',
      label: 'transformer: inspect',
      input: transformer,
      ours: node(CLI, 'inspect', transformer, '--json'),
      goal: {},
    },
    {
      name: 'help',
      label: 'serve-opt --help',
      ours: node(CLI, '--help'),
      beside: { 'node -e 0': node('-e', '0') },
      goal: { besideRatio: 2 },
      runs: 15,
    },
  ];
}
