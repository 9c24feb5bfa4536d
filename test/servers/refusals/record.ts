/**
 * `npm run servers -- --record FOLDER [CASE…]`: puts every case, or with --missing those without a record, before the real tritonserver of FOLDER and writes down what
 * it says, as `fixtures/triton/recorded-answers.json` with the configurations beside it. The linter is tested against these
 * records. Prints every case in which the server does something else than the table says, and then exits with 1.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, print } from '../../conformance/suite.js';
import { allCases } from './all-cases.js';
import { layOutCase, writeConfigs } from './case-folders.js';
import { answerOf, type RecordedAnswer } from './recorded-answer.js';
import { writeSharedModels } from './shared-models.js';
import { TritonControl } from './triton-control.js';

export const FIXTURES = 'fixtures/triton';

export async function record(root: string, folder: string, only: readonly string[]): Promise<number> {
  const binary = join(folder, 'bin/tritonserver');
  if (!existsSync(binary)) {
    print(`there is no ${binary}; npm run servers -- --install ${folder}`);
    return 2;
  }
  const fixtures = join(root, FIXTURES);
  const models = join(fixtures, 'models');
  await writeSharedModels(models, root);
  const cases = allCases();
  const unknown = only.filter((name) => name !== '--missing' && !cases.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}`);
  const configs = join(fixtures, 'configs');
  rmSync(configs, { recursive: true, force: true });
  for (const one of cases) writeConfigs(one, configs);

  const recordPath = join(fixtures, 'recorded-answers.json');
  const earlier = existsSync(recordPath)
    ? (JSON.parse(readFileSync(recordPath, 'utf8')) as { cases: RecordedAnswer[] }).cases
    : [];
  const answers = new Map(earlier.map((answer) => [answer.name, answer]));
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-record-'));
  const repository = join(scratch, 'repository');
  let control = await TritonControl.start(binary, repository, scratch);
  let different = 0;
  try {
    const server = JSON.parse((await control.request('/v2')).body) as { name: string; version: string };
    const write = (): void => {
      const kept = cases.flatMap(({ name }) => answers.get(name) ?? []);
      const lines = kept.map((answer) => `    ${JSON.stringify(answer)}`).join(',\n');
      const head = `{\n  "schemaVersion": 1,\n  "server": ${JSON.stringify(`${server.name} ${server.version}`)},\n  "backends": ${JSON.stringify('onnxruntime as test/servers/models/onnx_backend.py, python')},\n`;
      writeFileSync(recordPath, `${head}  "cases": [\n${lines}\n  ]\n}\n`);
    };
    for (const one of cases) {
      const isWanted = only.includes('--missing')
        ? !answers.has(one.name)
        : only.length === 0 || only.includes(one.name);
      if (!isWanted) continue;
      rmSync(repository, { recursive: true, force: true });
      mkdirSync(repository);
      layOutCase(one, repository, models);
      const answer = await answerOf(control, one, repository);
      answers.set(one.name, answer);
      const agrees = answer.outcome === one.outcome;
      if (!agrees) different++;
      const reason = answer.log[0] ?? answer.error ?? answer.inference?.error ?? '';
      print(
        `${agrees ? '  ' : '≠ '}${one.name}: ${agrees ? '' : `${one.outcome} in the table, `}${answer.outcome} ${reason}`,
      );
      write();
      try {
        await control.unload(Object.keys(one.models));
      } catch (error) {
        print(`   restarting the server: ${messageOf(error)}`);
        await control.stop();
        rmSync(repository, { recursive: true, force: true });
        control = await TritonControl.start(binary, repository, scratch);
      }
    }
  } finally {
    await control.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  print(`${cases.length} cases, ${different} different from the table`);
  return different === 0 ? 0 : 1;
}
