/**
 * `npm run servers -- --install FOLDER`: real inference servers for the tests, without a GPU and without a container.
 * What is there already is kept, so a second run takes seconds. Needs Python 3.8 or later with `venv`, and for TorchServe
 * Debian's or Ubuntu's `python3-torch` (installed if this user may) and Java 11 or later.
 *
 *   FOLDER/bin/tritonserver, torchserve   start a server with all that it needs; put FOLDER/bin on the PATH
 *   FOLDER/px    nvidia-pytriton, unpacked: tritonserver with its Python backend
 *   FOLDER/tb    the Python that Triton's backends run in
 *   FOLDER/be    backends: python, and test/servers/models/onnx_backend.py in the place of onnxruntime
 *   FOLDER/tc    tritonclient: the official clients and schema
 *   FOLDER/ts    TorchServe
 *   FOLDER/ml    MLServer
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './install.js';

const PYTRITON = 'nvidia-pytriton==0.7.0';
// The version that this project uses, so that outputs can be compared bit by bit.
const ONNX_RUNTIME = 'onnxruntime==1.30.0';
const TRITON_BACKEND = ['numpy<2', ONNX_RUNTIME, 'onnx'];
const TRITON_CLIENT = ['tritonclient[all]==2.73.0'];
const TORCHSERVE = [
  'torchserve==0.12.0',
  'torch-model-archiver==0.12.0',
  'onnx',
  ONNX_RUNTIME,
  'numpy<2',
  'pillow',
  'tokenizers',
  'pyyaml',
  'psutil',
  'requests',
  'aiohttp',
  'setuptools<81',
];
const MLSERVER = ['mlserver==1.7.1', ONNX_RUNTIME];

/** Parts in order. Each returns why it could not be installed, or nothing. */
const PARTS = [
  ['tritonserver', installTriton],
  ['tritonclient', (folder) => installVenv(folder, 'tc', TRITON_CLIENT, 'import tritonclient.grpc.model_config_pb2')],
  ['TorchServe', installTorchServe],
  ['MLServer', (folder) => installVenv(folder, 'ml', MLSERVER, 'import mlserver, onnxruntime')],
];

/** @returns the exit code: 1 where a part is missing */
export function installServers(given) {
  const folder = resolve(process.env.INIT_CWD ?? '.', given);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  let missing = 0;
  for (const [name, install] of PARTS) {
    const why = install(folder);
    console.log(why === undefined ? `${name}: installed` : `${name}: missing: ${why}`);
    if (why !== undefined) missing++;
  }
  console.log(missing === 0 ? `PATH=${join(folder, 'bin')}:$PATH starts them by name` : `${missing} missing`);
  return missing === 0 ? 0 : 1;
}

function installTriton(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'its package is for x86-64 Linux only';
  const package_ = join(folder, 'px');
  if (!existsSync(join(package_, 'pytriton'))) {
    const why = unpackPackage(folder, PYTRITON, package_);
    if (why !== undefined) return why;
  }
  chmodSync(join(package_, 'pytriton/tritonserver/bin/tritonserver'), 0o755);
  const why = installVenv(
    folder,
    'tb',
    TRITON_BACKEND,
    'import onnx, onnxruntime, numpy; assert numpy.__version__ < "2"',
  );
  if (why !== undefined) return why;
  const python = join(folder, 'tb/bin/python');
  const version = output(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const stubs = join(package_, 'pytriton/tritonserver/python_backend_stubs');
  if (!existsSync(join(stubs, version)))
    return `no Python backend for Python ${version}; there is one for ${readdirSync(stubs).sort().join(', ')}`;
  const backends = join(folder, 'be');
  if (!existsSync(join(backends, 'python')))
    cpSync(join(package_, 'pytriton/tritonserver/backends/python'), join(backends, 'python'), { recursive: true });
  const stub = join(backends, 'python/triton_python_backend_stub');
  // One that runs cannot be written to, but can be replaced.
  cpSync(join(stubs, version, 'triton_python_backend_stub'), `${stub}.new`);
  chmodSync(`${stub}.new`, 0o755);
  renameSync(`${stub}.new`, stub);
  mkdirSync(join(backends, 'onnxruntime'), { recursive: true });
  cpSync(join(ROOT, 'test/servers/models/onnx_backend.py'), join(backends, 'onnxruntime/model.py'));
  const libraries = output(python, ['-c', 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))']);
  const site = output(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
  writeProgram(join(folder, 'bin/tritonserver'), [
    `PATH=${quoted(join(folder, 'tb/bin'))}:$PATH`,
    `PYTHONPATH=${quoted(site)}`,
    `LD_LIBRARY_PATH=${quoted(join(package_, 'nvidia_pytriton.libs'))}:${quoted(libraries)}`,
    'PYTHONUTF8=1',
    'export PATH PYTHONPATH LD_LIBRARY_PATH PYTHONUTF8',
    `exec ${quoted(join(package_, 'pytriton/tritonserver/bin/tritonserver'))} --backend-directory=${quoted(backends)} --cache-directory=${quoted(join(package_, 'pytriton/tritonserver/caches'))} "$@"`,
  ]);
  return undefined;
}

function unpackPackage(folder, name, target) {
  const python = findPython();
  if (python === undefined) return 'there is no python3 with venv';
  const downloads = join(folder, 'dl');
  if (run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', downloads, name]) !== 0)
    return `pip download ${name} failed`;
  const prefix = name.split('==')[0].replaceAll('-', '_');
  const wheel = readdirSync(downloads).find((file) => file.startsWith(prefix) && file.endsWith('.whl'));
  if (wheel === undefined) return `pip downloaded no wheel of ${name}`;
  const staged = `${target}.part`;
  rmSync(staged, { recursive: true, force: true });
  if (run(python, ['-m', 'zipfile', '-e', join(downloads, wheel), staged]) !== 0) return `cannot unpack ${wheel}`;
  renameSync(staged, target);
  return undefined;
}

/** A Python environment in `folder/name` in which `probe` runs. */
function installVenv(folder, name, packages, probe) {
  const environment = join(folder, name);
  const inside = join(environment, 'bin/python');
  if (existsSync(inside) && succeeds(inside, ['-c', probe])) return undefined;
  if (!existsSync(inside)) {
    const python = findPython();
    if (python === undefined) return 'there is no python3 with venv';
    if (run(python, ['-m', 'venv', environment]) !== 0) return 'python3 -m venv failed';
  }
  return installPackages(inside, packages, probe);
}

function installPackages(python, packages, probe) {
  if (run(python, ['-m', 'pip', 'install', '--quiet', ...packages]) !== 0)
    return `pip install ${packages.join(' ')} failed`;
  return succeeds(python, ['-c', probe]) ? undefined : `after pip install, this fails: ${python} -c '${probe}'`;
}

function installTorchServe(folder) {
  if (!succeeds('java', ['-version'])) return 'there is no java; apt-get install default-jre-headless';
  // The torch of PyPI is a CUDA build of gigabytes for Linux; Debian's is a CPU build of 70 MB, for Debian's Python only.
  const system = '/usr/bin/python3';
  if (!succeeds(system, ['-c', 'import torch'])) {
    const arguments_ = ['install', '-qq', '--yes', '--no-install-recommends', 'python3-torch'];
    const isRoot = process.getuid?.() === 0;
    if (isRoot && run('apt-get', ['update', '-qq']) === 0) run('apt-get', arguments_);
    if (!succeeds(system, ['-c', 'import torch'])) return 'apt-get install python3-torch, as root';
  }
  const environment = join(folder, 'ts');
  const inside = join(environment, 'bin/python');
  const probe = 'import torch, ts, onnx, onnxruntime, numpy, psutil, yaml; assert numpy.__version__ < "2"';
  if (!existsSync(inside)) {
    // Debian's Python has venv only with a package of its own; virtualenv needs nothing.
    const why = installVenv(folder, 've', ['virtualenv'], 'import virtualenv');
    if (why !== undefined) return why;
    const create = ['-m', 'virtualenv', '--quiet', '-p', system, '--system-site-packages', environment];
    if (run(join(folder, 've/bin/python'), create) !== 0) return 'virtualenv failed';
  }
  if (!succeeds(inside, ['-c', probe])) {
    const why = installPackages(inside, TORCHSERVE, probe);
    if (why !== undefined) return why;
  }
  for (const name of ['torchserve', 'torch-model-archiver']) {
    writeProgram(join(folder, 'bin', name), [
      `PATH=${quoted(join(environment, 'bin'))}:$PATH`,
      'export PATH',
      `exec ${quoted(join(environment, 'bin', name))} "$@"`,
    ]);
  }
  return undefined;
}

function findPython() {
  return ['python3', 'python'].find((name) =>
    succeeds(name, ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 8)']),
  );
}

function writeProgram(path, lines) {
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
}

/** For a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function run(command, arguments_) {
  const { status, error } = spawnSync(command, arguments_, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

function succeeds(command, arguments_) {
  return spawnSync(command, arguments_, { stdio: 'ignore' }).status === 0;
}

function output(command, arguments_) {
  return spawnSync(command, arguments_, { encoding: 'utf8' }).stdout.trim();
}
