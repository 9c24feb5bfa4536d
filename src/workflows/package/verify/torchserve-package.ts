import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readSmallFile } from '../../../codec/small-file.js';
import { ServeOptError } from '../../../errors.js';
import type { PackageVerifyReport, VerifiedModel } from '../../../report/package-verify-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { Feeds } from '../../../samples/types.js';
import { elementsFromJson, jsonObject, parseJson } from '../../../serving/json-tensor.js';
import { freePorts, LocalServer } from '../../../serving/local-server.js';
import { malformed, serverText } from '../../../serving/server-error.js';
import { TorchServeModels } from '../../../serving/torchserve-models.js';
import { SERVER_IMAGES } from '../../../targets/server-images.js';
import { elementCount } from '../../../tensor/tensor.js';
import { packageVersion } from '../../../version.js';
import { memoryLimit, runtimeOptions } from '../../memory.js';
import { planRequests } from './planned-requests.js';
import { ModelReference } from './reference.js';
import { noServer, sourceName, VERIFY_PACKAGE_DEFAULTS, type VerifyRun } from './verify-run.js';
import { verifyWire } from './verify-wire.js';

/** What TorchServe logs when a worker has ended before it took requests. */
const RETRIES = /Retry worker|Load model failed/;

const LOOPBACK = '127.0.0.1';
const MANIFEST_BYTES = 1024 * 1024;

/** Loads an archive, or the folder of one, in TorchServe. @param path absolute */
export async function verifyTorchServePackage(run: VerifyRun, path: string): Promise<PackageVerifyReport> {
  const { torchServe, urls = [] } = run.options;
  if (urls.length > 0) {
    throw new ServeOptError('SO1006', 'A package for TorchServe is not verified on a running server', {
      why: 'TorchServe does not report which archive it has loaded',
      hint: 'leave --url out; torchserve is started from the PATH, or from --torchserve PATH',
    });
  }
  if (torchServe === undefined) {
    throw noServer(
      'torchserve',
      'none is on the PATH, and --torchserve was not given',
      `docker run --rm -p 8080:8080 -v "${dirname(path)}":/store ${SERVER_IMAGES.torchserveCpu} torchserve --foreground --ncs --model-store /store --models ${basename(path)} --disable-token-auth`,
    );
  }
  return withWorkFolder(async ({ path: folder }) => {
    const [inference = 0, management = 0, metrics = 0, grpc = 0, grpcManagement = 0] = await freePorts(5);
    const settings = join(folder, 'config.properties');
    const lines = [
      `inference_address=http://${LOOPBACK}:${inference}`,
      `management_address=http://${LOOPBACK}:${management}`,
      `metrics_address=http://${LOOPBACK}:${metrics}`,
      `grpc_inference_port=${grpc}`,
      `grpc_management_port=${grpcManagement}`,
      'default_workers_per_model=1',
    ];
    writeFileSync(settings, `${lines.join('\n')}\n`);
    run.stages.start('start');
    const before = Date.now();
    const server = new LocalServer({
      name: 'torchserve',
      program: torchServe,
      parameters: [
        '--foreground',
        '--ncs',
        `--model-store=${dirname(path)}`,
        `--models=${basename(path)}`,
        '--disable-token-auth',
        `--ts-config=${settings}`,
      ],
      folder,
      // Where it unpacks archives.
      environment: { TEMP: folder, TMPDIR: folder, LOG_LOCATION: folder, METRICS_LOCATION: folder },
    });
    const models = new TorchServeModels(`http://${LOOPBACK}:${management}`, run.context.signal);
    try {
      const limit = run.options.startLimitMs ?? VERIFY_PACKAGE_DEFAULTS.startLimitMs;
      await server.waitUntilUp(() => models.isUp(), limit, run.context.signal);
      const state = await models.settled(() => RETRIES.test(server.output), limit, run.context.signal);
      const startMs = Date.now() - before;
      run.stages.end();
      const verified = await verifyLoaded(run, path, folder, state, `http://${LOOPBACK}:${inference}`, server);
      return { ...verified, server: { name: 'TorchServe', started: true, startMs } };
    } finally {
      models.close();
      await server.stop();
    }
  });
}

async function verifyLoaded(
  run: VerifyRun,
  path: string,
  folder: string,
  state: Awaited<ReturnType<TorchServeModels['settled']>>,
  url: string,
  server: LocalServer,
): Promise<Omit<PackageVerifyReport, 'server'>> {
  const { options, context, stages, source } = run;
  stages.start('verify', 1);
  const runtime = new LazyRuntime(runtimeOptions(context, memoryLimit(options, [])));
  try {
    const model = await verifyModel(run, unpackedFolder(path, folder), state, url, runtime, server);
    stages.advance(1, 1);
    stages.end('1 model');
    const { onnxRuntime } = await (await runtime.host()).request('versions', undefined);
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'package verify',
      version: packageVersion(),
      onnxRuntimeVersion: onnxRuntime,
      package: run.path,
      kind: 'torchserve',
      source: sourceName(source),
      models: [model],
      ok: model.ok,
      warnings: [],
      notes: [],
    };
  } finally {
    await runtime.close();
  }
}

async function verifyModel(
  run: VerifyRun,
  unpacked: string | undefined,
  state: Awaited<ReturnType<TorchServeModels['settled']>>,
  url: string,
  runtime: LazyRuntime,
  server: LocalServer,
): Promise<VerifiedModel> {
  if (state === undefined || !state.ready) {
    const name = state?.name ?? basename(run.path);
    const why = workerError(server.output) ?? 'no worker of the model became ready';
    return { name, reference: 'none', why, ready: false, wires: [], ok: false };
  }
  const named = { name: state.name, version: state.version };
  const file = unpacked === undefined ? undefined : modelFile(unpacked);
  if (file === undefined) {
    const why = 'the archive has no ONNX model that ONNX Runtime could run';
    return { ...named, reference: 'none', why, ready: true, wires: [], ok: true };
  }
  const asIs = { maxBatchSize: 0, inputs: [], outputs: [] };
  const reference = await ModelReference.open(await runtime.host(), file, asIs);
  const planned = await planRequests(reference, run.source, run.options.reading);
  const options = {
    protocol: 'torchserve',
    url,
    model: state.name,
    version: state.version,
    timeoutMs: run.options.timeoutMs ?? VERIFY_PACKAGE_DEFAULTS.timeoutMs,
    ...(run.context.signal === undefined ? {} : { signal: run.context.signal }),
  } as const;
  const wire = await verifyWire(options, planned, reference.tolerance, outputsOf);
  return { ...named, reference: 'ONNX Runtime', ready: true, wires: [wire], ok: wire.failure === undefined };
}

/** Where TorchServe unpacked the archive; a folder is served from where it is. */
function unpackedFolder(path: string, folder: string): string | undefined {
  if (existsSync(join(path, 'MAR-INF'))) return path;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.name === 'MAR-INF' && entry.isDirectory()) return entry.parentPath;
  }
  return undefined;
}

/** The ONNX model that the manifest names. */
function modelFile(unpacked: string): string | undefined {
  const manifest = jsonObject(
    parseJson(readSmallFile(join(unpacked, 'MAR-INF/MANIFEST.json'), MANIFEST_BYTES), 'The manifest'),
  );
  const file = jsonObject(manifest?.get('model'))?.get('serializedFile');
  if (typeof file !== 'string' || !file.endsWith('.onnx') || basename(file) !== file) return undefined;
  const path = join(unpacked, file);
  return existsSync(path) ? path : undefined;
}

/** Outputs of a JSON object by name, in the shapes that are expected. @throws SO5103 */
function outputsOf(body: Uint8Array, expected: Feeds): Feeds {
  const fields = jsonObject(parseJson(body, 'The response'));
  if (!fields) throw malformed('The response is not a JSON object of outputs by name');
  return new Map(
    [...expected].flatMap(([name, { dataType, dims }]) => {
      const value = fields.get(name);
      if (value === undefined) return [];
      return [[name, { dataType, dims, data: elementsFromJson(name, dataType, value, elementCount(dims)) }] as const];
    }),
  );
}

/** What a worker logs of the error that ends it, and what TorchServe says where the worker says nothing. */
const WORKER_ERROR = /MODEL_LOG - (\w*(?:Error|Exception)\b: .*)$/;
const LOAD_FAILED = /(Load model failed: .*)$/;

/** Why the worker ended: its first error, since later ones only say that there was one. */
function workerError(output: string): string | undefined {
  const lines = output.split('\n');
  for (const pattern of [WORKER_ERROR, LOAD_FAILED]) {
    for (const line of lines) {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) return serverText(found);
    }
  }
  return undefined;
}
