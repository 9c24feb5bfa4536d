import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort, type RunningServer, responds, startServer } from '../server-process.js';

/** A TorchServe that serves archives of a folder. */
export interface RunningStore {
  readonly server: RunningServer;
  readonly inference: string;
  readonly management: string;
}

/** Starts TorchServe on free ports. @param models as `--models` takes them; none is loaded where the list is empty */
export async function startStore(
  bin: string,
  scratch: string,
  store: string,
  models: readonly string[],
  python: Readonly<Record<string, string>> = {},
): Promise<RunningStore> {
  const [inference, management, metrics] = [await freePort(), await freePort(), await freePort()];
  const properties = join(scratch, 'ts.properties');
  const lines = [
    `inference_address=http://127.0.0.1:${inference}`,
    `management_address=http://127.0.0.1:${management}`,
    `metrics_address=http://127.0.0.1:${metrics}`,
    `grpc_inference_port=${await freePort()}`,
    `grpc_management_port=${await freePort()}`,
  ];
  writeFileSync(properties, `${lines.join('\n')}\n`);
  const loaded = models.length === 0 ? [] : ['--models', ...models];
  const server = await startServer(
    join(bin, 'torchserve'),
    [
      '--foreground',
      '--ncs',
      '--model-store',
      store,
      ...loaded,
      '--disable-token-auth',
      '--enable-model-api',
      '--ts-config',
      properties,
    ],
    {
      cwd: scratch,
      env: { PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, TEMP: scratch, TMPDIR: scratch, ...python },
    },
    () => responds(`http://127.0.0.1:${inference}/ping`),
  );
  return { server, inference: `http://127.0.0.1:${inference}`, management: `http://127.0.0.1:${management}` };
}
