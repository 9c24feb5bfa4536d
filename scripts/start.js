/**
 * `npm start`: installs and builds what is missing, then quantizes a fixture model with its calibration samples and
 * prints the result. The files land in `out/`. Words after `--` replace the model's own: `npm start -- inspect m.onnx`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT, runProgram } from './install.js';

/** A keyword spotter: small, convolutional, and it shows every part of a static quantization. */
const FIXTURE = 'fixtures/kws-dscnn';

ensureInstalled();
const buildCode = ensureBuilt();
if (buildCode !== 0) process.exit(buildCode);
mkdirSync(join(ROOT, 'out'), { recursive: true });
const given = process.argv.slice(2);
const words =
  given.length > 0
    ? given
    : [
        'quantize',
        `${FIXTURE}/model.onnx`,
        '--data',
        `${FIXTURE}/calib.npz`,
        '--eval',
        `${FIXTURE}/eval.npz`,
        '-o',
        'out/kws-dscnn.int8.onnx',
        '--force',
      ];
console.error(`$ serve-opt ${words.join(' ')}`);
process.exit(runProgram(process.execPath, ['bin/serve-opt.js', ...words]));
