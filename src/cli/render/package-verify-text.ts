import type { OutputAgreement } from '../../evaluate/equality.js';
import { plural } from '../../report/format.js';
import type { PackageVerifyReport, VerifiedModel, VerifiedWire } from '../../report/package-verify-types.js';
import { safeText } from '../../report/safe-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** The answer of `serve-opt package verify` for people. */
export async function renderPackageVerify(report: PackageVerifyReport, options: TextOptions): Promise<string> {
  const { server, models, source } = report;
  const start = server.startMs === undefined ? '' : `, started in ${(server.startMs / 1000).toFixed(1)} s`;
  const samples = source === 'synthetic' ? 'synthetic samples' : `samples of ${safeText(source)}`;
  const parts = [wrapLine(`${safeText(server.name)}${start}; ${samples}`, options.columns)];
  for (const model of models) parts.push('', ...(await modelText(model, options)));
  return parts.join('\n');
}

async function modelText(model: VerifiedModel, options: TextOptions): Promise<string[]> {
  const { style, columns } = options;
  const sign = model.ok ? (model.wires.length > 0 ? style.ok : style.warning) : style.failed;
  const version = model.version === undefined ? '' : ` version ${safeText(model.version)}`;
  const lines = [`${sign} ${style.bold(safeText(model.name))}${version}`];
  if (model.why !== undefined)
    lines.push(wrapLine(`  ${model.ready ? 'not compared' : 'not loaded'}: ${safeText(model.why, 600)}`, columns, 2));
  if (model.wires.length > 0) {
    const titles = [
      { title: '' },
      { title: '' },
      { title: 'requests', align: 'right' as const },
      { title: 'at once', align: 'right' as const },
      { title: 'compared with ONNX Runtime', flexible: true },
    ];
    lines.push(
      await renderTable(
        titles,
        model.wires.map((wire) => wireRow(wire)),
        { ...options, indent: 2 },
      ),
    );
  }
  return lines;
}

const WIRES: ReadonlyMap<string, string> = new Map([
  ['v2-http-json', 'HTTP, JSON'],
  ['v2-http', 'HTTP, binary'],
  ['v2-grpc', 'gRPC'],
  ['torchserve', 'HTTP, JSON'],
]);

function wireRow({ protocol, requests, concurrent, outputs, failure, skipped }: VerifiedWire): Cell[] {
  const sign: Cell =
    failure !== undefined
      ? { text: '✗', style: 'red' }
      : skipped !== undefined
        ? { text: '-', style: 'dim' }
        : { text: '✓', style: 'green' };
  const text = failure ?? skipped ?? agreement(outputs);
  return [sign, WIRES.get(protocol) ?? protocol, requests, concurrent, text];
}

/** All outputs together. */
function agreement(outputs: readonly OutputAgreement[]): string {
  const elements = outputs.reduce((sum, output) => sum + output.elements, 0);
  const equal = outputs.reduce((sum, output) => sum + output.equal, 0);
  const many = `${plural(outputs.length, 'output')}, ${plural(elements, 'element')}`;
  if (equal === elements) return `${many}, all equal bit for bit`;
  const worst = Math.max(...outputs.map((output) => output.worst.ofLargest));
  return `${many}, ${((100 * equal) / elements).toFixed(1)} % equal, the rest within ${worst.toExponential(1)} of the largest`;
}
