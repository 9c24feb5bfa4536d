/**
 * The calls in README.md of packages, run as they are there against real servers: the small models, the folder of models, and small
 * graphs of exporters beside it. Only the ports are others.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, Suite } from '../conformance/suite.js';
import { modelsFolder } from '../helpers/models-folder.js';
import { startStore } from './archives/start-store.js';
import { type PackagedModel, realModels, smallModels } from './packaged-models.js';
import { runProgram, whyFailed } from './program.js';
import { freePort, type RunningServer, responds, startServer } from './server-process.js';

const execute = promisify(execFile);

/** The first call of a model waits for its worker, on a machine that others use as well. */
const CALL_MS = 600_000;

export async function readmeCalls(root: string, folder: string, scratch: string): Promise<Suite> {
  const suite = new Suite('Calls of README.md');
  const bin = join(folder, 'bin');
  const models = [...(await smallModels(join(scratch, 'small'), root)), ...realModels(root), ...exportedGraphs(root)];
  for (const [server, run] of [
    ['tritonserver', tritonCalls],
    ['torchserve', torchServeCalls],
  ] as const) {
    if (!existsSync(join(bin, server))) suite.skip(`there is no ${join(bin, server)}`);
    else
      await run(suite, { root, folder, scratch, bin, models }).catch((error) => suite.fail(server, messageOf(error)));
  }
  suite.close();
  return suite;
}

interface Place {
  readonly root: string;
  readonly folder: string;
  readonly scratch: string;
  readonly bin: string;
  readonly models: readonly PackagedModel[];
}

/** Graphs of today's exporters stand beside the folder of models. */
function exportedGraphs(root: string): PackagedModel[] {
  const models = modelsFolder(root);
  const folder = models === undefined ? undefined : join(models, '..', 'graphs');
  if (folder === undefined || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.onnx'))
    .sort()
    .map((file) => ({ name: basename(file, '.onnx'), path: join(folder, file), options: [] }));
}

async function tritonCalls(suite: Suite, { root, folder, scratch, bin, models }: Place): Promise<void> {
  const repository = join(scratch, 'repository');
  const packaged: string[] = [];
  for (const { name, path, options } of models) {
    const words = ['package', 'triton', path, '-o', repository, '--name', name, ...options];
    const failure = whyFailed(await runProgram(root, words, scratch));
    if (failure === undefined) packaged.push(name);
    else suite.fail(`package triton ${name}`, failure);
  }
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const server = await startServer(
    join(bin, 'tritonserver'),
    [
      `--model-repository=${repository}`,
      '--exit-on-error=false',
      ...['http', 'grpc', 'metrics'].map((each) => `--${each}-address=127.0.0.1`),
      `--http-port=${http}`,
      `--grpc-port=${grpc}`,
      `--metrics-port=${metrics}`,
    ],
    { cwd: scratch, env: {} },
    () => responds(`http://127.0.0.1:${http}/v2/health/live`),
  );
  try {
    const python = join(folder, 'tc/bin/python');
    for (const name of packaged) {
      const text = readFileSync(join(repository, name, 'README.md'), 'utf8').replaceAll(
        'localhost:8000',
        `127.0.0.1:${http}`,
      );
      for (const command of blocks(text, 'sh')) await call(suite, `${name} in Triton`, 'sh', command);
      for (const code of blocks(text, 'python')) await call(suite, `${name} in Triton`, python, code);
    }
  } finally {
    await server.stop();
  }
}

async function torchServeCalls(suite: Suite, { root, scratch, bin, models }: Place): Promise<void> {
  const store = join(scratch, 'store');
  mkdirSync(store);
  const served: { readonly name: string; readonly readme: string }[] = [];
  for (const { name, path } of models) {
    const known = name.replaceAll('.', '-');
    const words = ['package', 'mar', path, '-o', join(store, known), '--name', known, '--format', 'folder'];
    const failure = whyFailed(await runProgram(root, words, scratch));
    if (failure === undefined) served.push({ name: known, readme: join(store, known, 'README.md') });
    else suite.fail(`package mar ${name}`, failure);
  }
  // A few at a time: each model has a worker with torch in it.
  for (let at = 0; at < served.length; at += WORKERS) {
    const some = served.slice(at, at + WORKERS);
    let server: RunningServer | undefined;
    try {
      const started = await startStore(
        bin,
        scratch,
        store,
        some.map(({ name }) => `${name}=${name}`),
      );
      server = started.server;
      for (const { name, readme } of some) {
        const text = readFileSync(readme, 'utf8').replaceAll('http://127.0.0.1:8080', started.inference);
        for (const command of blocks(text, 'sh')) await call(suite, `${name} in TorchServe`, 'sh', command);
      }
    } finally {
      await server?.stop();
    }
  }
}

const WORKERS = 8;

/** Code of a README that calls a server which runs; commands that start one are left out. */
function blocks(text: string, language: string): string[] {
  const found = [...text.matchAll(new RegExp(`^(\`{3,})${language}\\n([\\s\\S]*?)\\n\\1$`, 'gm'))];
  return found.map(([, , code = '']) => code).filter((code) => language === 'python' || /\bcurl /.test(code));
}

/**
 * One call of a user, which must succeed: `curl` fails for a status that says so. Meanwhile the output of the server is read, without
 * which it would stand still.
 */
async function call(suite: Suite, title: string, program: string, code: string): Promise<void> {
  const text = program === 'sh' ? code.replaceAll(/\bcurl (?!-f)/g, 'curl -sS --fail-with-body ') : code;
  try {
    await execute(program, ['-c', text], { timeout: CALL_MS });
    suite.pass();
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    suite.fail(title, `${stderr.trim().split('\n').at(-1)} ${stdout.slice(0, 300)} ${code.slice(0, 200)}`);
  }
}
