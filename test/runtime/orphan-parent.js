/** Program for host.test.ts: starts a runtime, begins an endless run, tells the child's process id and waits to be killed. */
import { startRuntime } from '../../dist/runtime/host.js';

const [, , modelPath] = process.argv;
const host = await startRuntime();
const { session } = await host.request('load', { path: modelPath });
const feeds = new Map([
  ['n', { dataType: 7, dims: [], data: BigInt64Array.of(10n ** 12n) }],
  ['x', { dataType: 1, dims: [1000], data: new Float32Array(1000) }],
]);
void host.request('run', { session, feeds });
setTimeout(() => process.stdout.write(`${host.childPid}\n`), 300);
