import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = join(HERE, '..', 'bin', 'serve-opt.js');

/** The bars of the project; memory in bytes. */
const WEIGHT_ONLY = { wallRatio: 1 / 10, peakBytes: 350e6 };
const STATIC = { wallRatio: 1 / 3, peakRatio: 1 / 2 };

/**
 * What is measured, in the order of the table. `ours`, `peer` and `yardstick` are programs that take turns; a row with
 * `yardstick` has its wall bar against that. `runs` overrides the number of turns.
 * @param {{ files: Record<string, string>, python: string | undefined, output: (side: string) => string }} setting
 */
export function benchmarkRows({ files, python, output }) {
  const node = (...args) => ({ command: process.execPath, args });
  const peer = (...args) =>
    python ? { command: python, args: [join(HERE, 'tasks', 'peers.py'), ...args] } : undefined;
  const quantize = (model, ...flags) =>
    node(CLI, 'quantize', model, '--no-verify', '--quiet', '--force', '-o', output('ours'), ...flags);
  const transformerRow = (name, label, mode, peerTask) => ({
    name,
    label,
    input: files.transformer,
    ours: quantize(files.transformer, '--mode', mode),
    peer: peer(peerTask, files.transformer, output('peer')),
    goal: WEIGHT_ONLY,
  });
  const staticRow = (name, label, model) => ({
    name,
    label,
    input: model,
    ours: quantize(model, '--mode', 'static', '--data', files.samples),
    peer: peer('quantize-static', model, output('peer'), files.samples),
    goal: STATIC,
  });
  return [
    {
      name: 'load-save',
      label: 'transformer: load and save',
      input: files.transformer,
      ours: node(join(HERE, 'tasks', 'load-save.js'), files.transformer, output('ours')),
      peer: peer('load-save', files.transformer, output('peer')),
      yardstick: { label: 'cp', program: { command: 'cp', args: [files.transformer, output('yardstick')] } },
      goal: { yardstickRatio: 2 },
    },
    transformerRow('dynamic', 'transformer: dynamic INT8', 'dynamic', 'quantize-dynamic'),
    transformerRow('fp16', 'transformer: FLOAT16', 'fp16', 'float16'),
    staticRow('static', 'residual network: static INT8', files.residualFolded),
    staticRow('static-bn', 'the same with BatchNormalization', files.residual),
    {
      name: 'inspect',
      label: 'transformer: inspect',
      input: files.transformer,
      ours: node(CLI, 'inspect', files.transformer, '--json'),
      goal: {},
    },
    {
      name: 'help',
      label: 'serve-opt --help',
      ours: node(CLI, '--help'),
      yardstick: { label: 'node -e 0', program: node('-e', '0') },
      goal: { yardstickRatio: 2 },
      runs: 15,
    },
  ];
}
