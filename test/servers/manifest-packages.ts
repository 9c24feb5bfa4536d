/**
 * What `package kubernetes` writes, without a cluster: the server of a Deployment is started with its command, arguments,
 * environment and configuration, and asked what its probes ask. Only folders, addresses and ports are others.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { messageOf, Suite } from '../conformance/suite.js';
import { runProgram, whyFailed } from './program.js';
import { freePort, type RunningServer, startServer } from './server-process.js';

interface Probe {
  readonly httpGet?: { readonly path: string };
  readonly exec?: { readonly command: readonly string[] };
  readonly tcpSocket?: object;
}

interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

/** Folders of the images. */
const MODELS = '/models';
const WORK = '/home/model-server/work';
const CONFIG = '/home/model-server/config';
/** Ports of the manifests. */
const PORTS = [8000, 8001, 8002, 8080, 8081, 8082, 7070, 7071] as const;

export async function manifestPackages(root: string, folder: string, scratch: string): Promise<Suite> {
  const suite = new Suite('Deployments of package kubernetes');
  const digits = join(root, 'fixtures/digits-mlp/model.onnx');
  const cases = [
    ['triton', ['package', 'triton', digits, '-o', join(scratch, 'repository'), '--name', 'digits'], 'repository', []],
    ['torchserve', ['package', 'mar', digits, '-o', join(scratch, 'digits.mar'), '--name', 'digits'], 'digits.mar', []],
    ['torchserve with tokens', undefined, 'digits.mar', ['--token', 'on']],
  ] as const;
  for (const [name, packaged, source, options] of cases) {
    const [program = ''] = name.split(' ');
    const server = join(folder, 'bin', program === 'triton' ? 'tritonserver' : program);
    if (!existsSync(server)) {
      suite.skip(`there is no ${server}`);
      continue;
    }
    try {
      const made = packaged === undefined ? undefined : await runProgram(root, packaged, scratch);
      const output = join(scratch, name.replaceAll(' ', '-'));
      const words = ['package', 'kubernetes', join(scratch, source), '-o', output, '--for', program, '--no-measure'];
      const written = await runProgram(root, [...words, ...options], scratch);
      const failure = (made && whyFailed(made)) ?? whyFailed(written);
      if (failure === undefined) await probed(suite, name, output, folder, scratch);
      else suite.fail(name, failure);
    } catch (error) {
      suite.fail(name, messageOf(error));
    }
  }
  suite.close();
  return suite;
}

/** Starts the server of a package and asks what its probes ask. */
async function probed(suite: Suite, name: string, output: string, folder: string, scratch: string): Promise<void> {
  const objects = readdirSync(output)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => parse(readFileSync(join(output, file), 'utf8'), { version: '1.1' }) as Record<string, unknown>);
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as
    | { readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } } }
    | undefined;
  const container = deployment?.spec.template.spec.containers[0];
  if (container === undefined) throw new Error('there is no Deployment with a container');
  const ports = new Map<number, number>();
  for (const port of PORTS) ports.set(port, await freePort());
  const work = join(output, 'work');
  mkdirSync(work);
  const config = objects.find(({ kind }) => kind === 'ConfigMap') as
    | { readonly data?: Record<string, string> }
    | undefined;
  const here = (text: string): string => remapped(text, ports, scratch, name === 'triton' ? 'repository' : '', output);
  for (const [file, text] of Object.entries(config?.data ?? {})) writeFileSync(join(output, file), here(text));
  const env = Object.fromEntries((container.env ?? []).map(({ name: key, value }) => [key, here(value)]));
  const bin = join(folder, 'bin');
  const [command = ''] = container.command;
  const loopback = name === 'triton' ? ['http', 'grpc', 'metrics'].map((each) => `--${each}-address=127.0.0.1`) : [];
  const probeOptions = { cwd: work, ports };
  let server: RunningServer | undefined;
  try {
    server = await startServer(
      join(bin, command),
      [...container.command.slice(1), ...container.args.map(here), ...loopback],
      { cwd: work, env: { ...env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` } },
      () => holds(container.startupProbe, probeOptions),
    );
    suite.pass();
    for (const which of ['readinessProbe', 'livenessProbe'] as const) {
      if (await eventually(() => holds(container[which], probeOptions))) suite.pass();
      else suite.fail(`${name}: ${which}`, JSON.stringify(container[which]));
    }
    if (name.endsWith('tokens')) {
      // A probe without the token would fail: that is what the one of the manifest is for.
      const { status } = await fetch(`http://127.0.0.1:${ports.get(8080)}/ping`);
      if (status === 400) suite.pass();
      else suite.fail(`${name}: a bare probe`, `got ${status}`);
    }
  } finally {
    await server?.stop();
  }
}

function remapped(
  text: string,
  ports: ReadonlyMap<number, number>,
  scratch: string,
  models: string,
  output: string,
): string {
  if (text === '/tmp') return join(output, 'work');
  const inFolders = text.replace(WORK, join(output, 'work')).replace(CONFIG, output);
  const inStore = inFolders.replace(new RegExp(`=${MODELS}$`, 'm'), `=${join(scratch, models)}`);
  return inStore
    .replaceAll(/([:=])(\d{4})$/gm, (whole, before: string, port: string) => {
      const other = ports.get(Number(port));
      return other === undefined ? whole : `${before}${other}`;
    })
    .replaceAll('0.0.0.0', '127.0.0.1');
}

async function holds(
  { httpGet, exec }: Probe,
  { cwd, ports }: { readonly cwd: string; readonly ports: ReadonlyMap<number, number> },
): Promise<boolean> {
  if (exec !== undefined) {
    const [command = '', ...rest] = exec.command.map((word) =>
      word.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => `127.0.0.1:${ports.get(Number(port))}`),
    );
    return spawnSync(command, rest, { cwd, timeout: 60_000 }).status === 0;
  }
  const port = ports.get(8080);
  // A probe of a socket holds where something answers at all.
  const isTriton = httpGet?.path.startsWith('/v2/') === true;
  const url = `http://127.0.0.1:${isTriton ? ports.get(8000) : port}${httpGet?.path ?? '/ping'}`;
  const { status } = await fetch(url);
  return httpGet === undefined || status === 200;
}

async function eventually(check: () => Promise<boolean>): Promise<boolean> {
  for (let left = 60; left > 0; left--) {
    if (await check().catch(() => false)) return true;
    await new Promise((done) => setTimeout(done, 500));
  }
  return false;
}
