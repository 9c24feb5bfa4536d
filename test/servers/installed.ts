/** Starts the servers of a folder (docs in main.ts) with the digits model on them. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, type RunningServer, responds, startServer } from './server-process.js';

/** What a suite needs to know of a running server. */
export interface Installed {
  readonly server: RunningServer;
  /** URL by protocol. */
  readonly urls: ReadonlyMap<string, string>;
}

export const ECHO_TYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'STRING',
] as const;

/** Python's own libraries, which Triton's stub links against. */
function libraryFolder(python: string): string {
  const code = 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))';
  return spawnSync(python, ['-c', code], { encoding: 'utf8' }).stdout.trim();
}

/** A reason where it is not installed. */
export async function startTriton(
  folder: string,
  models: string,
  digits: string,
  scratch: string,
): Promise<Installed | string> {
  const binary = join(folder, 'px/pytriton/tritonserver/bin/tritonserver');
  const python = join(folder, 'tb/bin/python');
  const stub = join(folder, 'be/python');
  for (const path of [binary, python, stub]) if (!existsSync(path)) return `there is no ${path}`;
  const backends = join(scratch, 'backends');
  mkdirSync(join(backends, 'onnxruntime'), { recursive: true });
  cpSync(stub, join(backends, 'python'), { recursive: true });
  copyFileSync(join(models, 'onnx_backend.py'), join(backends, 'onnxruntime', 'model.py'));
  const repository = join(scratch, 'repository');
  mkdirSync(join(repository, 'digits', '1'), { recursive: true });
  copyFileSync(digits, join(repository, 'digits', '1', 'model.onnx'));
  writeFileSync(
    join(repository, 'digits', 'config.pbtxt'),
    `platform: "onnxruntime_onnx"
max_batch_size: 16
input [ { name: "X" data_type: TYPE_FP32 dims: [ 64 ] } ]
output [ { name: "label" data_type: TYPE_INT64 dims: [ 1 ] reshape { shape: [ ] } }, { name: "probabilities" data_type: TYPE_FP32 dims: [ 10 ] } ]
`,
  );
  mkdirSync(join(repository, 'echo', '1'), { recursive: true });
  copyFileSync(join(models, 'echo_backend.py'), join(repository, 'echo', '1', 'model.py'));
  const list = (prefix: string): string =>
    ECHO_TYPES.map((type) => `{ name: "${prefix}_${type}" data_type: TYPE_${type} dims: [ -1, 3 ] }`).join(', ');
  writeFileSync(
    join(repository, 'echo', 'config.pbtxt'),
    `backend: "python"\nmax_batch_size: 0\ninput [ ${list('IN')} ]\noutput [ ${list('OUT')} ]\n`,
  );
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const site = join(folder, 'tb/lib/python3.11/site-packages');
  const server = await startServer(
    binary,
    [
      `--model-repository=${repository}`,
      `--backend-directory=${backends}`,
      '--http-address=127.0.0.1',
      '--grpc-address=127.0.0.1',
      '--metrics-address=127.0.0.1',
      `--http-port=${http}`,
      `--grpc-port=${grpc}`,
      `--metrics-port=${metrics}`,
    ],
    {
      cwd: scratch,
      env: {
        PATH: `${join(folder, 'tb/bin')}${delimiter}${process.env.PATH ?? ''}`,
        PYTHONPATH: site,
        LD_LIBRARY_PATH: `${join(folder, 'px/nvidia_pytriton.libs')}${delimiter}${libraryFolder(python)}`,
      },
    },
    () => responds(`http://127.0.0.1:${http}/v2/health/ready`),
  );
  return {
    server,
    urls: new Map([
      ['v2-http', `http://127.0.0.1:${http}`],
      ['v2-http-json', `http://127.0.0.1:${http}`],
      ['v2-grpc', `grpc://127.0.0.1:${grpc}`],
    ]),
  };
}

export async function startTorchServe(
  folder: string,
  models: string,
  digits: string,
  scratch: string,
): Promise<Installed | string> {
  const bin = join(folder, 'ts/bin');
  if (!existsSync(join(bin, 'torchserve'))) return `there is no ${join(bin, 'torchserve')}`;
  const store = join(scratch, 'store');
  mkdirSync(store, { recursive: true });
  const work = join(scratch, 'archive');
  mkdirSync(work);
  copyFileSync(digits, join(work, 'model.onnx'));
  const env = { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, TEMP: scratch, TMPDIR: scratch };
  const archived = spawnSync(
    join(bin, 'torch-model-archiver'),
    [
      '--model-name',
      'digits',
      '--version',
      '1.0',
      '--serialized-file',
      join(work, 'model.onnx'),
      '--handler',
      join(models, 'torchserve_handler.py'),
      '--export-path',
      store,
      '-f',
    ],
    { encoding: 'utf8', env: { ...process.env, ...env } },
  );
  if (archived.status !== 0) return `the archiver fails: ${archived.stderr.slice(-500)}`;
  const [inference, management, metrics] = [await freePort(), await freePort(), await freePort()];
  const properties = join(scratch, 'ts.properties');
  writeFileSync(
    properties,
    `inference_address=http://127.0.0.1:${inference}\nmanagement_address=http://127.0.0.1:${management}\nmetrics_address=http://127.0.0.1:${metrics}\ndefault_workers_per_model=1\ngrpc_inference_port=${await freePort()}\ngrpc_management_port=${await freePort()}\nmodel_store=${store}\n`,
  );
  const server = await startServer(
    join(bin, 'torchserve'),
    [
      '--foreground',
      '--ncs',
      '--model-store',
      store,
      '--models',
      'digits=digits.mar',
      '--disable-token-auth',
      '--ts-config',
      properties,
    ],
    { cwd: scratch, env },
    () => responds(`http://127.0.0.1:${inference}/ping`),
  );
  return { server, urls: new Map([['torchserve', `http://127.0.0.1:${inference}/predictions/digits`]]) };
}

export async function startMlServer(
  folder: string,
  models: string,
  digits: string,
  scratch: string,
): Promise<Installed | string> {
  const bin = join(folder, 'ml/bin');
  if (!existsSync(join(bin, 'mlserver'))) return `there is no ${join(bin, 'mlserver')}`;
  const home = join(scratch, 'mlserver');
  mkdirSync(home);
  copyFileSync(join(models, 'mlserver_runtime.py'), join(home, 'mlserver_runtime.py'));
  copyFileSync(digits, join(home, 'model.onnx'));
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const tensor = (name: string, datatype: string, shape: readonly number[]): object => ({ name, datatype, shape });
  writeFileSync(
    join(home, 'model-settings.json'),
    JSON.stringify({
      name: 'digits',
      implementation: 'mlserver_runtime.OnnxModel',
      parameters: { uri: join(home, 'model.onnx') },
      inputs: [tensor('X', 'FP32', [-1, 64])],
      outputs: [tensor('label', 'INT64', [-1]), tensor('probabilities', 'FP32', [-1, 10])],
    }),
  );
  writeFileSync(
    join(home, 'settings.json'),
    JSON.stringify({ host: '127.0.0.1', http_port: http, grpc_port: grpc, metrics_port: metrics, parallel_workers: 0 }),
  );
  const server = await startServer(
    join(bin, 'mlserver'),
    ['start', home],
    { cwd: home, env: { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, PYTHONPATH: home } },
    () => responds(`http://127.0.0.1:${http}/v2/models/digits/ready`),
  );
  return {
    server,
    urls: new Map([
      ['v2-http-json', `http://127.0.0.1:${http}/v2/models/digits`],
      ['v2-grpc', `grpc://127.0.0.1:${grpc}/digits`],
    ]),
  };
}
