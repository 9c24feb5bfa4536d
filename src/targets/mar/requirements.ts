import type { MarFacts } from './mar-facts.js';
import type { MarOptions } from './mar-options.js';

interface RuntimeRow {
  readonly version: string;
  /** Highest versions that it loads. */
  readonly opset: number;
  readonly ir: number;
}

/** Releases of ONNX Runtime with the operator sets and IR versions that they take (its table of compatibility). */
const RUNTIMES: readonly RuntimeRow[] = [
  { version: '1.10', opset: 15, ir: 8 },
  { version: '1.12', opset: 17, ir: 8 },
  { version: '1.14', opset: 18, ir: 8 },
  { version: '1.15', opset: 19, ir: 9 },
  { version: '1.17', opset: 20, ir: 9 },
  { version: '1.18', opset: 21, ir: 10 },
  { version: '1.22', opset: 23, ir: 11 },
  { version: '1.24', opset: 24, ir: 12 },
];

/** Domains of operators that ONNX Runtime has. */
const BUILT_IN = /^(ai\.onnx(\.ml|\.preview\.training|\.training)?|com\.microsoft(\.\w+)*|com\.ms\.internal\.nhwc)$/;

/** The text of requirements.txt: what the handler imports, besides what TorchServe itself needs. */
export function requirementsText(facts: MarFacts, { preprocess, device }: MarOptions): string {
  const row = RUNTIMES.find(({ opset, ir }) => opset >= facts.opset && ir >= facts.irVersion) ?? RUNTIMES.at(-1);
  const lines = ['numpy', `${device === 'gpu' ? 'onnxruntime-gpu' : 'onnxruntime'}>=${row?.version}`];
  if (preprocess === 'image') lines.push('pillow>=9.1');
  if (preprocess === 'text') lines.push('tokenizers>=0.13');
  return `${lines.sort().join('\n')}\n`;
}

/** Domains of operators that the server needs more for than requirements.txt has. */
export function foreignDomains({ domains }: MarFacts): readonly string[] {
  return domains.filter((domain) => !BUILT_IN.test(domain));
}
