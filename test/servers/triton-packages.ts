/** Every repository that `package triton` makes, in a real tritonserver. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageVerifyReport } from '../../src/report/package-verify-types.js';
import { print, Suite } from '../conformance/suite.js';
import { type PackagedModel, realModels, samplesBeside, smallModels, UNSERVABLE } from './packaged-models.js';
import { type ProgramResult, runProgram, whyFailed } from './program.js';

/** The official reader and printer of the text format: what it reads, it prints, and reads again as the same. */
const ROUND_TRIP = `
import sys
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
for path in sys.argv[1:]:
    config = text_format.Parse(open(path, encoding="utf-8").read(), ModelConfig())
    again = text_format.Parse(text_format.MessageToString(config), ModelConfig())
    assert again == config, path
print(len(sys.argv) - 1)
`;

export async function tritonPackages(root: string, folder: string, scratch: string): Promise<Suite> {
  const suite = new Suite('Triton packages');
  const server = join(folder, 'bin/tritonserver');
  if (!existsSync(server)) {
    suite.skip(`there is no ${server}`);
    return suite;
  }
  const run = new TritonPackages(suite, root, folder, scratch);
  await run.small();
  await run.versionsAndEnsemble();
  await run.unservable();
  await run.real();
  suite.close();
  return suite;
}

class TritonPackages {
  readonly #suite: Suite;
  readonly #root: string;
  readonly #folder: string;
  readonly #scratch: string;

  constructor(suite: Suite, root: string, folder: string, scratch: string) {
    this.#suite = suite;
    this.#root = root;
    this.#folder = folder;
    this.#scratch = scratch;
  }

  #serveOpt(...words: readonly string[]): Promise<ProgramResult> {
    return runProgram(this.#root, words, this.#scratch);
  }

  async small(): Promise<void> {
    const models = await smallModels(join(this.#scratch, 'small'), this.#root);
    await this.#packageAndVerify('small-repository', models);
  }

  async real(): Promise<void> {
    const models = realModels(this.#root);
    if (models.length === 0) this.#suite.skip('there is no folder of models (MODELS=FOLDER)');
    else await this.#packageAndVerify('real-repository', models);
    for (const { name, path } of models) {
      const data = samplesBeside(path);
      if (data === undefined) continue;
      const repository = join(this.#scratch, 'real-repository', name);
      if (existsSync(repository))
        await this.#verify(repository, [name], `${name} with real samples`, '--data', data, '--samples', '4');
    }
  }

  /** A second version, and an ensemble over two models. */
  async versionsAndEnsemble(): Promise<void> {
    const repository = join(this.#scratch, 'versions');
    mkdirSync(repository, { recursive: true });
    const models = join(this.#scratch, 'small');
    const steps: readonly (readonly string[])[] = [
      [join(models, 'batched.onnx'), '--name', 'front', '--policy', 'all'],
      [join(models, 'batched.onnx'), '--name', 'front', '--version', 'next', '--policy', 'all'],
      [join(models, 'labelled.onnx'), '--name', 'head'],
      ['--ensemble', 'front,head', '--name', 'both', '--map', 'head.X=front.Y'],
    ];
    for (const step of steps) {
      const failure = whyFailed(await this.#serveOpt('package', 'triton', ...step, '-o', repository));
      if (failure !== undefined) this.#suite.fail(`package triton ${step.slice(-4).join(' ')}`, failure);
    }
    await this.#verify(repository, ['both', 'front 1', 'front 2', 'head'], 'versions and ensemble');
  }

  async unservable(): Promise<void> {
    for (const [model, named] of UNSERVABLE) {
      const repository = join(this.#scratch, 'refused');
      const made = await this.#serveOpt(
        'package',
        'triton',
        join(this.#scratch, 'small', `${model}.onnx`),
        '-o',
        repository,
      );
      const text = JSON.stringify(made.document.error ?? {});
      if (made.code === 3 && named.test(text) && !existsSync(join(repository, model))) this.#suite.pass();
      else this.#suite.fail(model, `must be refused with exit code 3, naming ${named}: ${made.code} ${text}`);
    }
  }

  async #packageAndVerify(name: string, models: readonly PackagedModel[]): Promise<void> {
    const repository = join(this.#scratch, name);
    const packaged: string[] = [];
    for (const { name: model, path, options } of models) {
      const words = ['package', 'triton', path, '-o', repository, '--name', model, ...options];
      const failure = whyFailed(await this.#serveOpt(...words));
      if (failure === undefined) packaged.push(model);
      else this.#suite.fail(`package triton ${model}`, failure);
    }
    await this.#verify(repository, packaged, name);
    this.#readBack(repository);
    const lint = await this.#serveOpt('package', 'check', repository);
    const failure = whyFailed(lint);
    if (failure === undefined) this.#suite.pass();
    else this.#suite.fail(`package check ${name}`, failure);
  }

  /** One item a model (`name` or `name version`) that must be ready and answer equal by all three protocols. */
  async #verify(
    path: string,
    expected: readonly string[],
    title: string,
    ...options: readonly string[]
  ): Promise<void> {
    const words = ['package', 'verify', path, '--tritonserver', join(this.#folder, 'bin/tritonserver'), ...options];
    const verified = await this.#serveOpt(...words);
    const report = verified.document.result as PackageVerifyReport | undefined;
    if (report === undefined) {
      this.#suite.fail(title, whyFailed(verified) ?? 'no report');
      return;
    }
    print(`   ${title}: ${report.models.length} models, started in ${report.server.startMs} ms`);
    for (const wanted of expected) {
      const model = report.models.find(({ name, version }) => name === wanted || `${name} ${version}` === wanted);
      const failure = model === undefined ? 'it is not in the report' : whyNotVerified(model);
      if (failure === undefined) this.#suite.pass();
      else this.#suite.fail(`${title}: ${wanted}`, failure);
    }
  }

  #readBack(repository: string): void {
    const python = join(this.#folder, 'tc/bin/python');
    if (!existsSync(python)) {
      this.#suite.skip(`there is no ${python}`);
      return;
    }
    const configs = readdirSync(repository)
      .map((model) => join(repository, model, 'config.pbtxt'))
      .filter((path) => existsSync(path) && readFileSync(path).length > 0);
    const read = spawnSync(python, ['-c', ROUND_TRIP, ...configs], { encoding: 'utf8' });
    if (read.status === 0 && read.stdout.trim() === String(configs.length)) this.#suite.pass();
    else this.#suite.fail('official schema', read.stderr.trim().split('\n').at(-1) ?? '');
  }
}

function whyNotVerified({ ok, why, wires, reference }: PackageVerifyReport['models'][number]): string | undefined {
  const failed = wires.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) return `${failed.protocol}: ${failed.failure}`;
  if (!ok || reference !== 'ONNX Runtime') return why ?? 'nothing was compared';
  const sent = wires.filter(({ skipped }) => skipped === undefined).map(({ protocol }) => protocol);
  // 16-bit floats have no form in JSON.
  return sent.includes('v2-http') && sent.includes('v2-grpc') ? undefined : `only ${sent.join(', ')} was sent`;
}
