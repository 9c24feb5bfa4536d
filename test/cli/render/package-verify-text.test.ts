import { describe, expect, it } from 'vitest';
import { renderPackageVerify } from '../../../src/cli/render/package-verify-text.js';
import { createStyle } from '../../../src/cli/render/style.js';
import type { PackageVerifyReport, VerifiedModel, VerifiedWire } from '../../../src/report/package-verify-types.js';
import { REPORT_SCHEMA_VERSION } from '../../../src/report/types.js';

const OUTPUT = { name: 'y', elements: 28, equal: 28, worst: { abs: 0, ofLargest: 0 } };

function wire(protocol: string, more: Partial<VerifiedWire> = {}): VerifiedWire {
  return { protocol, requests: 9, concurrent: 9, outputs: [OUTPUT], ...more };
}

function text(...models: readonly VerifiedModel[]): string {
  const report: PackageVerifyReport = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'package verify',
    version: '0',
    package: 'models',
    kind: 'triton',
    server: { name: 'triton 2.51.0', started: true, startMs: 3210 },
    source: 'synthetic',
    models,
    ok: models.every(({ ok }) => ok),
    warnings: [],
    notes: [],
  };
  return renderPackageVerify(report, { columns: 80, style: createStyle(false), verbosity: 0 });
}

const GOOD: VerifiedModel = {
  name: 'resnet',
  version: '1',
  reference: 'ONNX Runtime',
  ready: true,
  wires: [wire('v2-http-json'), wire('v2-http'), wire('v2-grpc')],
  ok: true,
};

describe('text of package verify', () => {
  it('has one line for a model that responds as ONNX Runtime does', () => {
    expect(text(GOOD).split('\n')).toEqual([
      'triton 2.51.0, started in 3.2 s; synthetic samples',
      '',
      '✓ resnet version 1: JSON, binary, gRPC: 9 requests, then 9 at once; all equal',
      '    bit for bit',
    ]);
  });

  it('shows the whole reason of a protocol that fails, and those that do not', () => {
    const failure = 'output "y": element 0 is 7 instead of 1.5 (12 of 28 elements differ), with all requests at once';
    const shown = text({ ...GOOD, ok: false, wires: [wire('v2-http-json'), wire('v2-grpc', { failure })] });
    expect(shown).toContain('✗ resnet version 1: JSON: 9 requests, then 9 at once');
    expect(shown.replace(/\s+/g, ' ')).toContain(`gRPC: ${failure}`);
  });

  it('says how far outputs are off that are not equal bit for bit', () => {
    const outputs = [{ ...OUTPUT, equal: 14, worst: { abs: 0.001, ofLargest: 2e-6 } }];
    const shown = text({ ...GOOD, wires: [wire('v2-http', { outputs })] });
    expect(shown.replace(/\s+/g, ' ')).toContain(
      '50.0 % equal bit for bit, others off by at most 2.0e-6 of the largest',
    );
  });

  it('says why a model is not loaded, not compared, or not sent by a protocol', () => {
    const none = { reference: 'none', wires: [] } as const;
    const shown = text(
      { name: 'broken', ...none, why: 'no version', ready: false, ok: false },
      { name: 'py', version: '2', ...none, why: 'no ONNX model', ready: true, ok: true },
      { ...GOOD, wires: [wire('v2-http-json', { skipped: 'JSON has no form for "x"', requests: 0 }), wire('v2-grpc')] },
    );
    expect(shown).toContain('✗ broken: not loaded: no version');
    expect(shown).toContain('▲ py version 2: not compared: no ONNX model');
    expect(shown).toContain('    JSON: not sent: JSON has no form for "x"');
  });

  it('keeps to the terminal', () => {
    const failure = `the server responded: ${'word '.repeat(60)}`;
    const shown = text({ ...GOOD, ok: false, wires: [wire('v2-http', { failure })] });
    expect(Math.max(...shown.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });
});
