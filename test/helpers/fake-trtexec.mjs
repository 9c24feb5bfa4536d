#!/usr/bin/env node
// Stands in for trtexec: prints a log and writes what the real one would, as FAKE_TRTEXEC (JSON) says.
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync, writeSync } from 'node:fs';

/** @type {import('./fake-trtexec.js').FakeTrtexec} */
const fake = JSON.parse(process.env.FAKE_TRTEXEC ?? '{}');
const argv = process.argv.slice(2);
const option = (name) => argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
const version = fake.version ?? '101600';
const banner = (state) => `&&&& ${state} TensorRT.trtexec [TensorRT v${version}] # trtexec ${argv.join(' ')}\n`;
const out = (text) => writeSync(1, text);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (fake.callsPath) appendFileSync(fake.callsPath, `${JSON.stringify(argv)}\n`);
if (argv.includes('--help')) {
  out(`${banner('RUNNING')}=== Model Options ===\n  --onnx=<file>  ONNX model\n`);
  process.exit(0);
}
const isLoad = option('--loadEngine') !== undefined;
if (fake.onlyLoad && !isLoad) fake.log = undefined;

out(fake.noBanner ? '' : banner('RUNNING'));
if (fake.ignoreSignals) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
if (fake.child) {
  const child = spawn('sleep', ['600'], { stdio: 'inherit' });
  writeFileSync(fake.child, String(child.pid));
}
if (fake.readyPath) writeFileSync(fake.readyPath, String(process.pid));
if (fake.log !== undefined) {
  // Replays a log, slowly where asked.
  const lines = fake.log.split('\n').filter((line) => !line.startsWith('# source'));
  for (const line of lines) {
    out(`${line}\n`);
    if (fake.delayMs) await wait(fake.delayMs);
  }
} else {
  const at = '[12/09/2025-17:00:23] [I] ';
  const say = async (text) => {
    out(`${at}${text}\n`);
    if (fake.delayMs) await wait(fake.delayMs);
  };
  for (const text of fake.device ?? []) await say(text);
  if (!isLoad) {
    await say('Start parsing network model.');
    await say('Finished parsing network model. Parse time: 0.0704936');
  }
  const engine = option('--saveEngine');
  const bytes = fake.engineBytes ?? 65536;
  if (engine !== undefined && fake.engine !== 'none') {
    writeFileSync(engine, Buffer.alloc(fake.engine === 'half' ? bytes / 2 : bytes, 'ftrt'));
  }
  if (!isLoad) {
    await say(`Created engine with size: ${bytes / 2 ** 20} MiB`);
    await say('Engine built in 12.5 sec.');
  }
  for (const line of fake.lines ?? []) out(`${line}\n`);
  if (!argv.includes('--skipInference') && !argv.includes('--buildOnly')) {
    await say('Starting inference');
    await say('Warmup completed 10 queries over 200 ms');
    await say('Timing trace has 400 queries over 3.00166 s');
    for (const text of fake.summary ?? []) await say(text);
    const latency = fake.latencyMs ?? 0.85;
    const entries = Array.from({ length: 400 }, (_, i) => {
      const ms = latency * (1 + ((i * 7919) % 100) / 5000);
      const start = 2 + i * (latency + 0.01);
      return `{ "startEnqMs" : ${start}, "endEnqMs" : ${start + 0.01}, "startH2dMs" : ${start}, "endH2dMs" : ${start}, "startComputeMs" : ${start}, "endComputeMs" : ${start + ms}, "startD2hMs" : ${start + ms}, "endD2hMs" : ${start + ms}, "h2dMs" : 0, "computeMs" : ${ms}, "d2hMs" : 0, "latencyMs" : ${ms} }`;
    });
    const write = (name, text) => {
      const path = option(name);
      if (path !== undefined && !fake.noExports) writeFileSync(path, text);
    };
    write('--exportTimes', `[\n  ${entries.join('\n, ')}\n]\n`);
    write('--exportProfile', fake.profile ?? '[\n  { "count" : 1 }\n]\n');
    write('--exportLayerInfo', fake.layers ?? '{"Layers": [], "Bindings": []}');
  }
}
if (fake.garbageBytes) {
  const piece = Buffer.alloc(1 << 16);
  for (let i = 0; i < piece.length; i++) piece[i] = (i * 131 + (i >> 8)) & 0xff;
  for (let done = 0; done < fake.garbageBytes; done += piece.length) writeSync(1, piece);
}
if (fake.textBytes) {
  const line = `[12/09/2025-17:00:23] [V] [TRT] ${'x'.repeat(200)}\n`.repeat(200);
  for (let done = 0; done < fake.textBytes; done += line.length) out(line);
}
if (fake.hang) await new Promise((resolve) => setTimeout(resolve, 3_600_000));
if (fake.killSelf) process.kill(process.pid, fake.killSelf);
if (fake.killSelf) await wait(60_000);
const verdict = fake.verdict ?? 'PASSED';
if (verdict !== 'none') out(fake.noNewline ? banner(verdict).trimEnd() : banner(verdict));
process.exit(fake.exitCode ?? (verdict === 'FAILED' ? 1 : 0));
