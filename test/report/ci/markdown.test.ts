import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MARKDOWN_COMMENT_BYTES, MARKDOWN_MARKER, markdownReport } from '../../../src/report/ci/markdown.js';
import { markdownCode, markdownProse } from '../../../src/report/ci/markdown-text.js';
import { configuration, GATED, hostile, PLAIN, SWEPT } from '../bench-reports.js';
import { compareReport, optimizeReport, quantizeReport } from '../model-reports.js';
import { NAMES, REPORTS } from './hostile.js';

/** Tags of our own. */
const OURS = /<\/?(?:details|summary)>|<br>/g;

/** What could be Markdown or HTML once code is taken out: there nothing acts. */
function activeParts(page: string): readonly string[] {
  const found: string[] = [];
  page.split('\n').forEach((line, index) => {
    if (index === 0 && line === MARKDOWN_MARKER) return;
    const rest = line
      .replace(/`[^`]+`/g, 'code')
      .replace(OURS, '')
      .replace(/^#{3} |^> |^- |\*\*/g, '')
      .replaceAll('**', '');
    const active = /[`<>[\]@#*_~$\\&]|:\/\/|www\.|:\w+:|\b[A-Z]+-\d|\b[0-9a-f]{7}/i.exec(rest);
    if (active !== null) found.push(`${index}: ${rest}`);
  });
  return found;
}

/** Bars of every row of a table, by table. */
function unevenTables(page: string): readonly string[] {
  const tables = page.match(/(?:^\|.*\n)+/gm) ?? [];
  return tables.filter(
    (table) =>
      new Set(
        table
          .trimEnd()
          .split('\n')
          .map((row) => row.split('|').length),
      ).size !== 1,
  );
}

describe('markdownReport of a model that was made or compared', () => {
  it('says the verdict, the budgets and what changed', () => {
    const report = quantizeReport('net.onnx');
    expect(markdownReport({ ...report, warnings: [] })).toMatchInlineSnapshot(`
      "<!-- serve-opt quantize -->
      ### ⚠️ serve-opt quantize: inconclusive

      1 of 2 budgets inconclusive.

      |  | budget | measured | 95 % interval | why |
      | --- | --- | --: | --- | --- |
      | ⚠️ | speed-up ≥ 2.9x | 2.88× | 2.78×–3.03× | \`net.onnx\` |
      | ✅ | macs ≤ 300M | 5.49 M |  | \`net.onnx\` |

      |  | \`net.onnx\` | \`net.onnx.int8\` | change |
      | --- | --: | --: | --- |
      | size | 97.8 MB | 25.1 MB | −74 % |
      | p50 latency | 42.6 ms | 14.8 ms | 2.88× faster (95 %: 2.78–3.03) |
      | \`top-1\` accuracy | 93.6 % | 93.4 % | −0.2 pt on 1,020 |

      - ranges: min-max over 128 calibration samples of \`net.onnx\` (minmax for 2 tensors, mse for 1)
      - outputs compared on 64 held-out samples
      - \`net.onnx\`: class scores, since \`net.onnx\`: 98.4 % (95 %: 92.0 % to 99.7 %, n = 64) of predictions equal, KL divergence 0.00213 (95 %: 0.0012 to 0.0031)
      - Repair: 1 of 1 step kept, by the error on 32 held-out samples
      - \`✓\` weight rounding 30.0 → 31.2 dB: \`net.onnx\`

      - Outputs of layers, the worst first. Held against FP32 on held-out calibration samples, with every layer that can be in INT8: errors of the layers before it are included.

      | layer | SQNR before | after |
      | --- | --: | --: |
      | \`net.onnx\` | 30.0 dB |  |
      | \`net.onnx\` | 41.0 dB | 43.5 dB |
      | \`net.onnx\` |  | ∞ |

      | kept in FP32 | weights | why |
      | --- | --: | --- |
      | \`net.onnx\` | 4.00 kB | \`net.onnx\` |
      | \`net.onnx\` | 0 B | excluded |

      | layers in FP32 | verdict | measured |
      | --: | --- | --- |
      | 0 | fail | \`net.onnx\` |
      | 1 | pass | agreement 99.8 % (95 %: 98.0 % to 100 %) |

      | form | original's time | outcome | why |
      | --- | --: | --- | --- |
      | static INT8 | 1.4× (95 %: 1.3–1.5) | slower | \`net.onnx\` |
      | INT8 with more layers in FP32 |  | rejected | \`net.onnx\` |
      | dynamic INT8 | 0.8× | delivered | \`net.onnx\` |

      verified: read back, loaded and run beside the original in ONNX Runtime

      serve-opt \`0.1.0\`, ONNX Runtime \`1.30.0\`
      "
    `);
  });

  it('is inert whatever names say, and within its size', () => {
    for (const make of [compareReport, quantizeReport, optimizeReport]) {
      for (const name of NAMES) {
        const page = markdownReport(make(name));
        const [marker, ...rest] = page.split('\n');
        expect(marker).toMatch(/^<!-- serve-opt (compare|quantize|optimize) -->$/);
        expect(activeParts(rest.join('\n'))).toEqual([]);
        expect(unevenTables(page)).toEqual([]);
        expect(Buffer.byteLength(page)).toBeLessThanOrEqual(MARKDOWN_COMMENT_BYTES);
      }
    }
  });
});

describe('markdownReport', () => {
  it('says the verdict, the gates, the figures and how they were measured', () => {
    expect(markdownReport(GATED)).toMatchInlineSnapshot(`
      "<!-- serve-opt bench -->
      ### ❌ serve-opt bench: fail

      2 of 4 budgets broken, 1 inconclusive; slower than the baseline.

      |  | budget | measured | 95 % interval | why |
      | --- | --- | --: | --- | --- |
      | ❌ | p99 ≤ 10ms | 12.5 ms | 11.9–13.1 ms | 31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed |
      | ✅ | throughput ≥ 200/s | 238/s | 231–244/s | at least 231/s with 95 % confidence |
      | ⚠️ | p99.9 ≤ 20ms | – |  | 0 of 1,000 runs over; needs 2,995 runs |
      | ❌ | size ≤ 25MB | 25.1 MB |  |  |

      |  | baseline | latency | 95 % interval | why |
      | --- | --- | --: | --- | --- |
      | ❌ | \`model.onnx\` against \`base.onnx\` | **+10.1 %** | +9.4 to +10.9 % | 10.1 % slower (95 %: 9.4-10.9 %); noise 0.8 %, counts from 3 % |

      \`model.onnx\` · **238/s** · **48.0 MB** over the bare runtime · cold start **143 ms** (process 62, library 31, session 48, first run 1.9 ms)

      | latency |  | 95 % interval |
      | --- | --: | --- |
      | p50 | **4.22 ms** | 4.20–4.22 ms |
      | p90 | **4.99 ms** | 4.94–5.04 ms |
      | p95 | **5.30 ms** | 5.20–5.42 ms |
      | p99 | **9.12 ms** | 7.81–13.9 ms |
      | p99.9 | – | needs 2,995 runs |

      <details><summary>How it was measured</summary>

      - one request at a time; closed loop, so percentiles exclude queueing
      - 1,000 runs; inputs synthetic, seed 0
      - \`Example CPU @ 2.00GHz\`, 2 of 8 cores to use, \`linux 6.1\` \`x64\`
      - serve-opt \`0.1.0\`, ONNX Runtime \`1.30.0\`, Node \`20.20.2\`

      </details>
      "
    `);
  });

  it('has a row for each of several configurations, with errors in their row', () => {
    const [first] = SWEPT.configurations;
    const broken = { label: 'cuda', error: { code: 'SO5005', message: 'Execution provider cuda is not available' } };
    const failed = { ...configuration('x', 1), ...broken, latency: undefined };
    const { latency: _, ...rest } = failed;
    const page = markdownReport({ ...SWEPT, configurations: first === undefined ? [] : [first, rest] });
    expect(page).toContain('| `1 thread batch=1` | 4.22 ms | 9.12 ms | 238/s | 48.0 MB | 143 ms |');
    expect(page).toContain('| `cuda`<br>❌ `SO5005` Execution provider cuda is not available | – |');
  });

  it.each(Object.entries(REPORTS))('has nothing active but its own in %s', (_name, report) => {
    const page = markdownReport(report);
    expect(activeParts(page)).toEqual([]);
    expect(unevenTables(page)).toEqual([]);
  });

  it.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 60), name]))('makes %s inert', (_title, name) => {
    const page = markdownReport(hostile(name));
    expect(activeParts(page)).toEqual([]);
    expect(unevenTables(page)).toEqual([]);
    expect(page).not.toMatch(/^\s*::|##\[/m);
  });

  it('cuts whole rows to fit, and says how many', () => {
    const many = Array.from({ length: 5000 }, (_none, index) => {
      const { segments: _, ...one } = configuration('x', 4.2);
      return { ...one, label: `configuration number ${index} of very many` };
    });
    const page = markdownReport({ ...PLAIN, configurations: many });
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(MARKDOWN_COMMENT_BYTES);
    const rows = page.match(/^\| `configuration/gm)?.length ?? 0;
    expect(rows).toBeGreaterThan(100);
    expect(page).toContain(`… and ${(5000 - rows).toLocaleString('en')} more rows: too many for this page`);
    expect(unevenTables(page)).toEqual([]);
  });

  it.each([400, 700, 1000, 1500, 2500])('keeps to %i bytes', (maximum) => {
    expect(Buffer.byteLength(markdownReport(hostile('n'.repeat(500)), maximum))).toBeLessThanOrEqual(maximum);
  });
});

describe('markdownCode', () => {
  it.each([
    ['model.onnx', '`model.onnx`'],
    ['', '–'],
    ['  ', '–'],
    ['a`b|c<d>', '`a\\x60b\\x7cc\\x3cd\\x3e`'],
    ['##[error]x', '`#\\x23[error]x`'],
  ])('writes %j', (name, expected) => {
    expect(markdownCode(name)).toBe(expected);
  });
});

describe('markdownProse', () => {
  it.each([
    ['31 of 1,000 runs over; at least 2.1 % with 95 % confidence, 1 % allowed'],
    ['10.1 % slower (95 %: 9.4-10.9 %)'],
    ['needs 2,995 runs'],
    ['p99.9 ≤ 20ms'],
    ['cold-start ≤ 500ms'],
    ['the model’s own A/A noise is 0.8 %'.replace('A/A ', '')],
  ])('leaves %j as it is', (text) => {
    expect(markdownProse(text)).toBe(text);
  });

  it('puts what is not plainly words into code', () => {
    expect(markdownProse('the input "a_b" of @someone is at http://x.invalid and #12 too')).toBe(
      'the input `"a_b"` of `@someone` is at `http://x.invalid` and `#12` too',
    );
    expect(markdownProse('see deadbee and GH-12')).toBe('see `deadbee` and `GH-12`');
  });

  it('holds nothing active outside of code, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(activeParts(`x\n- note: ${markdownProse(text)}`)).toEqual([]);
      }),
    );
  });
});
