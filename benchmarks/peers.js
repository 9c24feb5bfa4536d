import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What the ratios are measured against. */
export const PEER_PACKAGES = {
  onnx: '1.22.0',
  onnxruntime: '1.30.0',
  'onnx-ir': '1.1.0',
  'onnxconverter-common': '1.16.0',
  onnxsim: '0.8.1',
  onnxslim: '0.1.98',
};

/** What they need beside; `quant_pre_process` imports sympy. */
const UNPINNED = ['numpy', 'sympy'];

/**
 * A Python with the peers: the one given, or a virtual environment that is made in `folder` the first time.
 * The variable PYTHON names the interpreter that makes it.
 * @param {{ folder: string, given?: string | undefined, onMake: () => void }} options
 */
export function peerPython({ folder, given, onMake }) {
  const venv = join(folder, 'venv');
  const windows = process.platform === 'win32';
  const python = given ?? join(venv, windows ? 'Scripts/python.exe' : 'bin/python');
  if (given === undefined && !(existsSync(python) && peersMatch(python))) {
    onMake();
    rmSync(venv, { recursive: true, force: true });
    run(process.env.PYTHON ?? (windows ? 'python' : 'python3'), ['-m', 'venv', venv]);
    const wanted = Object.entries(PEER_PACKAGES).map(([name, version]) => `${name}==${version}`);
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted, ...UNPINNED]);
  }
  if (!peersMatch(python)) {
    throw new Error(
      `${given === undefined ? 'the virtual environment' : given} lacks ${JSON.stringify(PEER_PACKAGES)}`,
    );
  }
  return python;
}

function peersMatch(python) {
  const code = 'import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))';
  const { status, stdout } = spawnSync(python, ['-c', code, ...Object.keys(PEER_PACKAGES)], { encoding: 'utf8' });
  if (status !== 0) return false;
  const found = JSON.parse(stdout);
  return Object.entries(PEER_PACKAGES).every(([name, version]) => found[name] === version);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0) throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}
