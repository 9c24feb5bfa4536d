/** Every archive that `package mar` makes, in a real TorchServe. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageVerifyReport } from '../../src/report/package-verify-types.js';
import { print, Suite } from '../conformance/suite.js';
import { type PackagedModel, realModels, smallModels } from './packaged-models.js';
import { runProgram, whyFailed } from './program.js';

const FORMATS = ['mar', 'tgz', 'folder'] as const;
/** In all formats; the rest as .mar. */
const IN_ALL_FORMATS: ReadonlySet<string> = new Set(['open-batch', 'two-inputs', 'external-data']);
/** Options of Triton alone do not make another archive. */
const withoutOptions = ({ options }: PackagedModel): boolean => options.length === 0;

export async function torchServePackages(root: string, folder: string, scratch: string): Promise<Suite> {
  const suite = new Suite('TorchServe packages');
  const server = join(folder, 'bin/torchserve');
  if (!existsSync(server)) {
    suite.skip(`there is no ${server}`);
    return suite;
  }
  const small = (await smallModels(join(scratch, 'small'), root)).filter(withoutOptions);
  const real = realModels(root);
  if (real.length === 0) suite.skip('there is no folder of models (MODELS=FOLDER)');
  for (const model of [...small, ...real]) {
    for (const format of IN_ALL_FORMATS.has(model.name) ? FORMATS : FORMATS.slice(0, 1)) {
      const failure = await packageAndVerify(root, server, scratch, model, format);
      if (failure === undefined) suite.pass();
      else suite.fail(`${model.name} as ${format}`, failure);
    }
  }
  suite.close();
  return suite;
}

async function packageAndVerify(
  root: string,
  server: string,
  scratch: string,
  { name, path }: PackagedModel,
  format: (typeof FORMATS)[number],
): Promise<string | undefined> {
  const store = join(scratch, 'stores', `${name}-${format}`);
  mkdirSync(store, { recursive: true });
  const words = ['package', 'mar', path, '-o', `${store}/`, '--name', name.replaceAll('.', '-'), '--format', format];
  const made = await runProgram(root, words, scratch);
  const failure = whyFailed(made);
  if (failure !== undefined) return failure;
  const [archive] = readdirSync(store);
  if (archive === undefined) return 'nothing was written';
  const verified = await runProgram(root, ['package', 'verify', join(store, archive), '--torchserve', server], scratch);
  const report = verified.document.result as PackageVerifyReport | undefined;
  if (report === undefined) return whyFailed(verified) ?? 'no report';
  const [model] = report.models;
  const [wire] = model?.wires ?? [];
  print(`   ${name} as ${format}: started in ${report.server.startMs} ms, ${wire?.requests ?? 0} requests`);
  if (model === undefined || wire === undefined) return model?.why ?? 'nothing was compared';
  return wire.failure ?? (model.ok && wire.concurrent >= 4 ? undefined : (model.why ?? 'too few concurrent requests'));
}
