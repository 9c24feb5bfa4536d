import { describe, expect, it } from 'vitest';
import { engineJunit, engineMarkdown } from '../../../src/report/ci/engine-formats.js';
import { tensorRtHtml } from '../../../src/report/html/tensorrt-html.js';
import type { TensorRtReport } from '../../../src/report/tensorrt-types.js';
import { checkPage } from '../../helpers/check-page.js';
import { textOf } from '../../helpers/read-markup.js';
import { HOSTILE_NAMES } from '../bench-reports.js';
import { tensorRtReport } from '../tensorrt-reports.js';

const named = (name: string): TensorRtReport => {
  const report = tensorRtReport();
  return {
    ...report,
    engine: { ...report.engine, name },
    device: { name },
    layers: report.layers.map((layer) => ({ ...layer, name, fused: [name, name], type: name })),
    inputs: report.inputs.map((input) => ({ ...input, name })),
    trtexec: [`--onnx=${name}`],
    warnings: [name],
    notes: [name],
  };
};

describe('the page of an engine', () => {
  it('keeps the rules of all pages', () => {
    const page = checkPage(tensorRtHtml(tensorRtReport()));
    const text = textOf(page);
    for (const part of [
      'NVIDIA A100 80GB PCIe',
      'Conv_0 + Relu_1',
      'p99',
      'TensorRT 10.16.0',
      '1–32×3×224×224',
      'GPU compute',
    ])
      expect(text).toContain(part);
  });

  it('is drawn for an engine that was not measured, and for one of which little is known', () => {
    const { measurement, conditions, environment, device, build, ...rest } = tensorRtReport();
    checkPage(tensorRtHtml({ ...rest, summaries: [], layers: [], profiles: [], inputs: [], outputs: [] }));
    checkPage(tensorRtHtml({ ...rest, summaries: [] }));
    expect({ measurement, conditions, environment, device, build }).toBeDefined();
  });

  it.each(HOSTILE_NAMES)('holds any name: %j', (name) => {
    checkPage(tensorRtHtml(named(name)));
    expect(engineMarkdown(named(name))).not.toContain('<script');
    expect(engineJunit(named(name))).toMatch(/^<\?xml/);
  });

  it('gives the same bytes for the same report', () => {
    expect(tensorRtHtml(tensorRtReport())).toBe(tensorRtHtml(tensorRtReport()));
  });
});
