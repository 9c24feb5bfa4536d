/** The faulty archives of the tests in a real TorchServe: what the table says that it does with each is what it does. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, Suite } from '../../conformance/suite.js';
import { type MarCase, marCases } from '../../helpers/mar-cases.js';
import { startStore } from './start-store.js';

/** @param bin folder with torchserve */
export async function caseSuite(bin: string): Promise<Suite> {
  const suite = new Suite('TorchServe: faulty archives');
  if (!existsSync(join(bin, 'torchserve'))) {
    suite.skip(`there is no ${join(bin, 'torchserve')}`);
    return suite;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-cases-'));
  const store = join(scratch, 'store');
  mkdirSync(store);
  const cases = marCases();
  for (const { name, ending, bytes } of cases) writeFileSync(join(store, `${name}${ending}`), bytes);
  try {
    // Without a model the server is healthy at once.
    const { server, management } = await startStore(bin, scratch, store, []);
    try {
      for (const each of cases) {
        try {
          const { outcome, text } = await register(each, management);
          if (outcome === each.server) suite.pass();
          else suite.fail(each.name, `${outcome}, not ${each.server}: ${text.slice(0, 300)}`);
        } catch (error) {
          suite.fail(each.name, messageOf(error));
        }
      }
    } finally {
      await server.stop();
    }
  } catch (error) {
    suite.fail('start', messageOf(error));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}

/** Registers an archive with one worker, and removes the model again. */
async function register(
  { name, ending }: MarCase,
  management: string,
): Promise<{ readonly outcome: 'loaded' | 'refused'; readonly text: string }> {
  const query = new URLSearchParams({
    url: `${name}${ending}`,
    initial_workers: '1',
    synchronous: 'true',
    startup_timeout: '20',
  });
  const response = await fetch(`${management}/models?${query}`, {
    method: 'POST',
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  await fetch(`${management}/models/m/1.0`, { method: 'DELETE', signal: AbortSignal.timeout(60_000) });
  return { outcome: response.status === 200 ? 'loaded' : 'refused', text };
}
