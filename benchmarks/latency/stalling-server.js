import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const EVERY_MS = 1000;
const STALL_MS = 100;
const METADATA = {
  name: 'm',
  platform: 'test',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 4] }],
};
const ANSWER = { model_name: 'm', outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 4], data: [0, 0, 0, 0] }] };

/** A server of the Open Inference Protocol (JSON) that answers at once, but for 100 ms of every second. */
export async function stallingServer() {
  const started = performance.now();
  const server = createServer((request, response) => {
    const answer = (body) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(body));
    };
    if (request.method === 'GET') return answer(METADATA);
    request.resume().on('end', () => {
      const phaseMs = (performance.now() - started) % EVERY_MS;
      if (phaseMs < STALL_MS) setTimeout(() => answer(ANSWER), STALL_MS - phaseMs);
      else answer(ANSWER);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/v2/models/m`,
    /** Runs the command beside the server, which has to go on answering. */
    json: (cli, words) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [cli, ...words, '--protocol', 'v2-http-json']);
        let text = '';
        let complaint = '';
        child.stdout.on('data', (data) => {
          text += data;
        });
        child.stderr.on('data', (data) => {
          complaint += data;
        });
        child.on('close', () => {
          try {
            resolve(JSON.parse(text));
          } catch {
            reject(new Error(`no JSON: ${complaint}`));
          }
        });
      }),
    close: () => server.close(),
  };
}
