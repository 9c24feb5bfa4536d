import type { OutputAgreement } from '../../evaluate/equality.js';
import { plural } from '../../report/format.js';
import type { PackageVerifyReport, VerifiedModel, VerifiedWire } from '../../report/package-verify-types.js';
import { safeText } from '../../report/safe-text.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Longest text of a server that is shown. */
const MAX_REASON = 600;

/** The answer of `serve-opt package verify` for people: a line for each model, and more where something is wrong. */
export function renderPackageVerify(report: PackageVerifyReport, options: TextOptions): string {
  const { server, models, source } = report;
  const start = server.startMs === undefined ? '' : `, started in ${(server.startMs / 1000).toFixed(1)} s`;
  const samples = source === 'synthetic' ? 'synthetic samples' : `samples of ${safeText(source)}`;
  const head = wrapLine(`${safeText(server.name)}${start}; ${samples}`, options.columns);
  return [head, '', ...models.flatMap((model) => modelLines(model, options))].join('\n');
}

function modelLines(model: VerifiedModel, { style, columns }: TextOptions): string[] {
  const { wires } = model;
  const sign = model.ok ? (wires.length > 0 ? style.ok : style.warning) : style.failed;
  const version = model.version === undefined ? '' : ` version ${safeText(model.version)}`;
  const name = `${sign} ${style.bold(safeText(model.name))}${version}: `;
  if (wires.length === 0) {
    const what = model.ready ? 'not compared' : 'not loaded';
    return [wrapLine(`${name}${what}: ${safeText(model.why ?? '', MAX_REASON)}`, columns, 4)];
  }
  const good = wires.filter(({ failure, skipped }) => failure === undefined && skipped === undefined);
  const [first] = good;
  const lines = wires
    .filter((wire) => !good.includes(wire))
    .map((wire) => wrapLine(`    ${wireText(wire)}`, columns, 6));
  const equal = first === undefined ? 'no protocol responds as ONNX Runtime' : agreedText(first, good);
  return [wrapLine(`${name}${equal}`, columns, 4), ...lines];
}

const WIRES: ReadonlyMap<string, string> = new Map([
  ['v2-http-json', 'JSON'],
  ['v2-http', 'binary'],
  ['v2-grpc', 'gRPC'],
  ['torchserve', 'JSON'],
]);

function wireName({ protocol }: VerifiedWire): string {
  return WIRES.get(protocol) ?? protocol;
}

function wireText(wire: VerifiedWire): string {
  const { failure, skipped } = wire;
  return `${wireName(wire)}: ${safeText(failure ?? `not sent: ${skipped ?? ''}`, MAX_REASON)}`;
}

/** Protocols that agree with ONNX Runtime, together. */
function agreedText({ requests, concurrent }: VerifiedWire, wires: readonly VerifiedWire[]): string {
  const names = wires.map(wireName).join(', ');
  const outputs = wires.flatMap((wire) => wire.outputs);
  return `${names}: ${plural(requests, 'request')}, then ${concurrent} at once; ${agreement(outputs)}`;
}

function agreement(outputs: readonly OutputAgreement[]): string {
  const elements = outputs.reduce((sum, output) => sum + output.elements, 0);
  const equal = outputs.reduce((sum, output) => sum + output.equal, 0);
  if (equal === elements) return 'all equal bit for bit';
  const worst = Math.max(...outputs.map((output) => output.worst.ofLargest));
  return `${((100 * equal) / elements).toFixed(1)} % equal bit for bit, others off by at most ${worst.toExponential(1)} of the largest`;
}
