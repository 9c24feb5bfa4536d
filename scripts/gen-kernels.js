/**
 * Writes src/tensor/*.generated.ts from the WebAssembly texts beside them.
 * `node scripts/gen-kernels.js` writes; tests in test/tensor call the same function and compare.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';
import { ROOT } from './install.js';

/** The texts, and the constant that holds the code of each. */
const MODULES = {
  kernels: 'KERNELS_BASE64',
  matrix: 'MATRIX_BASE64',
  softmax: 'SOFTMAX_BASE64',
  blocks: 'BLOCKS_BASE64',
  histogram: 'HISTOGRAM_BASE64',
};

const pathOf = (name, extension) => join(ROOT, `src/tensor/${name}.${extension}`);

/** The text of src/tensor/NAME.generated.ts. */
export async function generatedKernels(name = 'kernels') {
  const { parseWat } = await wabt();
  const module = parseWat(`${name}.wat`, readFileSync(pathOf(name, 'wat'), 'utf8'), { simd: true });
  try {
    module.resolveNames();
    module.validate();
    const lines =
      Buffer.from(module.toBinary({}).buffer)
        .toString('base64')
        .match(/.{1,110}/g) ?? [];
    return [
      `/** ${name}.wat compiled by \`node scripts/gen-kernels.js\`. Do not edit. */`,
      `export const ${MODULES[name]} =`,
      lines.map((line) => `  '${line}'`).join(' +\n'),
    ]
      .join('\n')
      .concat(';\n');
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of Object.keys(MODULES)) writeFileSync(pathOf(name, 'generated.ts'), await generatedKernels(name));
