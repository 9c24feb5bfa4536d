import { describe, expect, it } from 'vitest';
import { pruneHtml } from '../../../src/report/html/prune-html.js';
import type { PruneReport } from '../../../src/report/prune-types.js';
import { safeText } from '../../../src/report/safe-text.js';
import { checkPage, skeletonOf } from '../../helpers/check-page.js';
import { elementsNamed, textOf } from '../../helpers/read-markup.js';
import { HOSTILE_NAMES } from '../bench-reports.js';

function report(name: string, given: Partial<PruneReport> = {}): PruneReport {
  const file = { name, sizeBytes: 4000, sha256: 'a'.repeat(64) };
  return {
    schemaVersion: 1,
    command: 'prune',
    version: '0.1.0',
    method: 'structured',
    amount: 0.5,
    input: file,
    output: { ...file, sizeBytes: 1000 },
    before: { parameters: 1000, macs: 9000 },
    after: { parameters: 250, macs: 2300 },
    sizes: [],
    groups: [
      { name, kind: 'channels', units: 64, kept: 32 },
      { name: 'second', kind: 'neurons', units: 16, kept: 16 },
    ],
    whole: [],
    weights: [],
    repair: [
      { layer: name, before: 0.5, after: 0.2 },
      { layer: 'middle', before: 0.3, after: 0.4, left: 'the fit is no better on held-out samples' },
      { layer: 'last', left: 'its weight is INT8' },
    ],
    verification: { structure: 'passed', loads: 'passed', runs: 'passed' },
    notes: [],
    warnings: [],
    ...given,
  } as PruneReport;
}

describe('the page of prune', () => {
  const harmless = skeletonOf(checkPage(pruneHtml(report('harmless'))));

  it.each(HOSTILE_NAMES)('is inert with %j', (name) => {
    const page = checkPage(pruneHtml(report(name)));
    expect(skeletonOf(page)).toEqual(harmless);
    expect(textOf(page)).toContain(safeText(name));
  });

  it('draws widths as they are, before behind after', () => {
    const page = checkPage(pruneHtml(report('net.onnx')));
    const widths = elementsNamed(page, 'rect')
      .filter(({ attributes }) => attributes.get('height') === '7')
      .map(({ attributes }) => Number(attributes.get('width')));
    const [before = 0, after = 0, secondBefore, secondAfter] = widths;
    expect(after / before).toBeCloseTo(0.5, 2);
    expect(secondBefore).toBe(secondAfter);
    expect((secondBefore ?? 0) / before).toBeCloseTo(0.25, 2);
  });

  it('draws the error of each layer that was measured, and lists those that were left with the reason', () => {
    const text = textOf(checkPage(pruneHtml(report('net.onnx'))));
    expect(text).toContain(
      '1 layer was fitted anew: its error on held-out samples fell by 60 %, to 20 % of the outputs.',
    );
    expect(text).toContain('before: error 0.5 at layer 1');
    expect(text).toContain('fitted anew: error 0.4 at layer 2');
    expect(text).toContain('its weight is INT8');
    expect(textOf(checkPage(pruneHtml(report('net.onnx', { repair: [] }))))).not.toContain('Error by layer');
  });

  it('shows zeros, patterns and the runtimes that skip them', () => {
    const text = textOf(
      checkPage(
        pruneHtml(
          report('net.onnx', {
            method: 'magnitude',
            groups: [],
            repair: [],
            weights: [{ node: 'fc', opType: 'Gemm', elements: 8, zeros: 4 }],
            sparsity: {
              elements: 8,
              zeros: 4,
              bytes: 32,
              layers: [
                {
                  node: 'fc',
                  opType: 'Gemm',
                  weight: 'w',
                  elements: 8,
                  zeros: 4,
                  pattern: { name: '2:4', axis: 1, alongInputs: true },
                },
              ],
              runtimes: [{ name: 'TensorRT 8 and newer', layers: 1, needs: '2:4 along the inputs' }],
            },
          }),
        ),
      ),
    );
    for (const part of ['50 %', '2:4 along the inputs', 'TensorRT 8 and newer', '1 layer'])
      expect(text).toContain(part);
  });
});
