/** Checkpoints for vLLM as others read them: decoded by compressed-tensors, loaded and run by transformers. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKPOINT_MODES, type CheckpointMode } from '../../src/targets/vllm/checkpoint-schemes.js';
import { decodedCheckpoint } from '../helpers/decoded-checkpoint.js';
import { messageOf, print, Suite } from './suite.js';

const PACKAGES = 'torch, transformers, compressed_tensors, safetensors';

/** What the oracle says of a checkpoint. */
interface Verdict {
  readonly layers: number;
  readonly unequal: readonly string[];
  readonly finite: boolean;
  readonly logitsNoise: number;
  readonly tokensEqual: number;
}

/** Most of the power of logits that may be noise; random weights have no structure that would forgive it. */
const MOST_NOISE: Readonly<Record<CheckpointMode, number>> = { w4a16: 0.2, w8a16: 0.002, w8a8: 0.01, fp8: 0.02 };

export async function checkpointSuite(root: string): Promise<Suite> {
  const suite = new Suite('checkpoints for vLLM');
  const python = process.env.CHECKPOINT_PYTHON ?? 'python3';
  if (spawnSync(python, ['-c', `import ${PACKAGES}`]).status !== 0) {
    suite.skip(`${python} cannot import ${PACKAGES}: name another one with CHECKPOINT_PYTHON`);
    suite.close();
    return suite;
  }
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-checkpoints-'));
  const oracle = (...words: string[]): string => {
    const { status, stdout, stderr } = spawnSync(python, [join(root, 'scripts', 'checkpoint-oracle.py'), ...words], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr.slice(-500));
    return stdout.trim().split('\n').at(-1) ?? '';
  };
  try {
    oracle('make', folder);
    for (const name of readdirSync(folder).sort())
      for (const mode of CHECKPOINT_MODES) {
        try {
          const [original, outputPath] = [join(folder, name), join(folder, `${name}-${mode}`)];
          const words = ['quantize', original, '--for', 'vllm', '--mode', mode, '-o', outputPath, '--quiet'];
          const made = spawnSync(process.execPath, [join(root, 'bin', 'serve-opt.js'), ...words], { encoding: 'utf8' });
          if (made.status !== 0) throw new Error(made.stderr.slice(-500));
          writeFileSync(join(folder, 'decoded.safetensors'), decodedCheckpoint(outputPath));
          const verdict = JSON.parse(
            oracle('judge', original, outputPath, join(folder, 'decoded.safetensors')),
          ) as Verdict;
          const { layers, unequal, logitsNoise, tokensEqual } = verdict;
          print(
            `${name} ${mode}: ${layers} layers, logits ${(-10 * Math.log10(logitsNoise)).toFixed(1)} dB over their rounding, ` +
              `${(100 * tokensEqual).toFixed(1)} % of tokens equal to BFLOAT16`,
          );
          if (unequal.length > 0) suite.fail(`${name} ${mode}`, `decoded otherwise: ${unequal.slice(0, 3).join(', ')}`);
          else if (layers === 0 || !verdict.finite)
            suite.fail(`${name} ${mode}`, 'nothing was quantized, or logits are no numbers');
          else if (!(logitsNoise <= MOST_NOISE[mode])) suite.fail(`${name} ${mode}`, `noise of logits ${logitsNoise}`);
          else suite.pass();
        } catch (error) {
          suite.fail(`${name} ${mode}`, messageOf(error));
        }
      }
  } catch (error) {
    suite.fail('the checkpoints', messageOf(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}
