/**
 * Writes src/tensor/kernels.generated.ts from src/tensor/kernels.wat.
 * `node scripts/gen-kernels.js` writes; test/tensor/kernels.test.ts calls the same function and compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';
import { ROOT } from './install.js';

const SOURCE = join(ROOT, 'src/tensor/kernels.wat');
const TARGET = join(ROOT, 'src/tensor/kernels.generated.ts');

/** The text of src/tensor/kernels.generated.ts. */
export async function generatedKernels() {
  const { parseWat } = await wabt();
  const module = parseWat('kernels.wat', readFileSync(SOURCE, 'utf8'), { simd: true });
  try {
    module.resolveNames();
    module.validate();
    const lines =
      Buffer.from(module.toBinary({}).buffer)
        .toString('base64')
        .match(/.{1,110}/g) ?? [];
    return [
      '/** kernels.wat compiled by `node scripts/gen-kernels.js`. Do not edit. */',
      'export const KERNELS_BASE64 =',
      lines.map((line) => `  '${line}'`).join(' +\n'),
    ]
      .join('\n')
      .concat(';\n');
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await generatedKernels());
