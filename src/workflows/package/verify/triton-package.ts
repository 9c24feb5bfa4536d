import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ServeOptError } from '../../../errors.js';
import type { PackageVerifyReport } from '../../../report/package-verify-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../report/types.js';
import { LazyRuntime } from '../../../runtime/lazy-runtime.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import { freePorts, LocalServer } from '../../../serving/local-server.js';
import { headerFields } from '../../../serving/open-client.js';
import { openTransport } from '../../../serving/open-transport.js';
import type { Protocol } from '../../../serving/protocols.js';
import { parseServerUrl } from '../../../serving/server-url.js';
import { TritonRepository } from '../../../serving/triton-repository.js';
import { SERVER_IMAGES } from '../../../targets/server-images.js';
import { packageVersion } from '../../../version.js';
import { memoryLimit, runtimeOptions } from '../../memory.js';
import { noServer, sourceName, VERIFY_PACKAGE_DEFAULTS, type VerifyRun } from './verify-run.js';
import { type TritonRun, verifyTriton } from './verify-triton.js';

const LOOPBACK = '127.0.0.1';

/** A server that can be asked. */
interface Reached {
  readonly http: string;
  readonly grpc: string | undefined;
  readonly startMs?: number;
  readonly log: () => string;
}

/** `only` is the model to load, where one model's folder was given. */
export async function verifyTritonPackage(
  run: VerifyRun,
  { repository, only }: { readonly repository: string; readonly only?: string },
): Promise<PackageVerifyReport> {
  const names = only === undefined ? modelNames(repository) : [only];
  const { urls = [], tritonServer } = run.options;
  if (urls.length > 0) return verifyAt(run, repository, names, { ...given(urls), log: () => '' });
  if (tritonServer === undefined) {
    throw noServer(
      'tritonserver',
      'none is on the PATH, and neither --tritonserver nor --url was given; with this container, add --url http://127.0.0.1:8000 --grpc-url grpc://127.0.0.1:8001',
      `docker run --rm -p 8000:8000 -p 8001:8001 -v "${resolve(repository)}":/models ${SERVER_IMAGES.triton} tritonserver --model-repository=/models`,
    );
  }
  return withWorkFolder(async ({ path: folder }) => {
    const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
    run.stages.start('start');
    const before = Date.now();
    const server = new LocalServer({
      name: 'tritonserver',
      program: tritonServer,
      parameters: [
        `--model-repository=${repository}`,
        // A model that does not load is reported, beside those that do.
        '--exit-on-error=false',
        ...(only === undefined ? [] : ['--model-control-mode=explicit', `--load-model=${only}`]),
        ...['http', 'grpc', 'metrics'].map((part) => `--${part}-address=${LOOPBACK}`),
        `--http-port=${http}`,
        `--grpc-port=${grpc}`,
        `--metrics-port=${metrics}`,
      ],
      folder,
    });
    try {
      const reached = { http: `http://${LOOPBACK}:${http}`, grpc: `grpc://${LOOPBACK}:${grpc}` };
      const repositoryClient = await repositoryAt(run, reached.http);
      const limit = run.options.startLimitMs ?? VERIFY_PACKAGE_DEFAULTS.startLimitMs;
      await server.waitUntilUp(() => repositoryClient.isUp(), limit, run.context.signal);
      const startMs = Date.now() - before;
      run.stages.end();
      return await verifyAt(run, repository, names, { ...reached, startMs, log: () => server.output });
    } finally {
      await server.stop();
    }
  });
}

async function verifyAt(
  run: VerifyRun,
  folder: string,
  names: readonly string[],
  { http, grpc, startMs, log }: Reached,
): Promise<PackageVerifyReport> {
  const { options, context, stages, source } = run;
  const runtime = new LazyRuntime(runtimeOptions(context, memoryLimit(options, [])));
  const urls = new Map<Protocol, string>([
    ['v2-http-json', http],
    ['v2-http', http],
    ...(grpc === undefined ? [] : ([['v2-grpc', grpc]] as const)),
  ]);
  stages.start('verify', names.length);
  try {
    const repository = await repositoryAt(run, http);
    const { onnxRuntime } = await (await runtime.host()).request('versions', undefined);
    const tritonRun: TritonRun = {
      repository,
      urls,
      folder,
      source,
      reading: options.reading,
      runtime,
      connection: {
        timeoutMs: options.timeoutMs ?? VERIFY_PACKAGE_DEFAULTS.timeoutMs,
        ...(options.headers === undefined ? {} : { headers: options.headers }),
        ...(context.signal === undefined ? {} : { signal: context.signal }),
      },
      stages,
      log,
    };
    const models = await verifyTriton(tritonRun, names);
    const name = await repository.serverName();
    stages.end(`${models.length} ${models.length === 1 ? 'model' : 'models'}`);
    const unchecked =
      grpc === undefined ? ['gRPC was not verified: give its address too, --grpc-url grpc://HOST:8001'] : [];
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'package verify',
      version: packageVersion(),
      onnxRuntimeVersion: onnxRuntime,
      package: run.path,
      kind: 'triton',
      server: { name, started: startMs !== undefined, ...(startMs === undefined ? {} : { startMs }) },
      source: sourceName(source),
      models,
      ok: models.every(({ ok }) => ok),
      warnings: unchecked,
      notes: [],
    };
  } finally {
    await runtime.close();
  }
}

async function repositoryAt({ options, context }: VerifyRun, url: string): Promise<TritonRepository> {
  const transport = await openTransport(parseServerUrl(url), {
    headers: headerFields(options.headers ?? []),
    timeoutMs: options.timeoutMs ?? VERIFY_PACKAGE_DEFAULTS.timeoutMs,
    signal: context.signal,
  });
  return new TritonRepository(transport);
}

/** @throws SO1006 without an HTTP address: the list of models comes over HTTP */
function given(urls: readonly string[]): Omit<Reached, 'log'> {
  const isGrpc = (url: string): boolean => /^grpcs?:/i.test(url);
  const http = urls.find((url) => !isGrpc(url));
  if (http === undefined) {
    throw new ServeOptError('SO1006', 'Verifying needs the HTTP address of the server', {
      why: 'the list of loaded models and their configurations come over HTTP',
      hint: 'add --url http://HOST:8000',
    });
  }
  return { http, grpc: urls.find(isGrpc) };
}

/** Folders of a repository, sorted; hidden ones are no models of ours. */
function modelNames(repository: string): string[] {
  return readdirSync(repository, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(repository, name)).length > 0)
    .sort();
}
