import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { junitXml } from '../../../src/report/ci/junit.js';
import { xmlText } from '../../../src/report/ci/xml.js';
import { CUT_SHORT, configuration, GATED, hostile, PLAIN } from '../bench-reports.js';
import { compareReport, optimizeReport, quantizeReport } from '../model-reports.js';
import { HOSTILE_REPORTS, NAMES, REPORTS } from './hostile.js';

const schema = readFileSync(join(import.meta.dirname, 'junit.xsd'), 'utf8');

/** What libxml2 has against documents; a reader of its own, so nothing here judges itself. */
async function complaints(documents: readonly string[]): Promise<readonly string[]> {
  const xml = documents.map((contents, index) => ({ fileName: `${index}.xml`, contents }));
  const { errors } = await validateXML({ xml, schema: [schema] });
  return errors.map(({ rawMessage }) => rawMessage);
}

describe('junitXml', () => {
  it('is valid for every report', async () => {
    expect(await complaints(Object.values(REPORTS).map(junitXml))).toEqual([]);
    const empty = { ...PLAIN, configurations: [] };
    const orphan = { ...GATED, configurations: [] };
    const bad = { ...PLAIN, configurations: [configuration('nan', Number.NaN), configuration('slow', 5e9)] };
    expect(await complaints([empty, orphan, bad].map(junitXml))).toEqual([]);
  });

  it('is valid whatever names say', async () => {
    expect(await complaints(HOSTILE_REPORTS.map(junitXml))).toEqual([]);
  });

  it('is valid for names of any characters', async () => {
    const names = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 40, seed: 1 });
    expect(await complaints(names.map((name) => junitXml(hostile(name))))).toEqual([]);
  });

  it('would notice what is not valid', async () => {
    const xml = junitXml(PLAIN);
    expect(await complaints([xml.replace(' tests="1"', '')])).not.toEqual([]);
    expect(await complaints([xml.replace('</system-out>', ']]></system-out>')])).not.toEqual([]);
    expect(await complaints([xml.replace('p50', '\u0001')])).not.toEqual([]);
    expect(await complaints([xml.replace('<testcase', '<failure/><testcase')])).not.toEqual([]);
  });

  it('has a case for each budget and regression beside the measured one', () => {
    const xml = junitXml(GATED);
    expect(xml).toContain('<testsuite name="model.onnx" tests="6" failures="3" errors="0" skipped="1"');
    expect(xml).toContain('<testcase name="measured" classname="bench.model_onnx" time="0.004216">');
    expect(xml).toContain(
      '<testcase name="p99 ≤ 10ms" classname="bench.model_onnx" time="0.012500">\n' +
        '      <failure type="fail" message="p99 ≤ 10ms: measured 12.5 ms (95 %: 11.9–13.1 ms); 31 of 1,000 runs over; ' +
        'at least 2.1 % with 95 % confidence, 1 % allowed"/>',
    );
    expect(xml).toContain(
      '<skipped type="inconclusive" message="p99.9 ≤ 20ms: 0 of 1,000 runs over; needs 2,995 runs"/>',
    );
    expect(xml).toContain('<failure type="fail" message="size ≤ 25MB: measured 25.1 MB"/>');
    expect(xml).toContain('<failure type="fail" message="model.onnx against base.onnx: latency +10.1 %');
  });

  it('has an error for what could not be measured, and skips what was not reached', () => {
    expect(junitXml(CUT_SHORT)).toContain('<error type="SO5005" message="Execution provider cuda is not available"/>');
    const unreached = CUT_SHORT.configurations.map(({ error: _, ...rest }) => rest);
    const xml = junitXml({ ...CUT_SHORT, configurations: unreached });
    expect(xml).toContain('<skipped type="nothing" message="interrupted before it was measured"/>');
    expect(junitXml({ ...PLAIN, configurations: [] })).toContain('message="nothing was measured"');
  });

  it('loses no gate, even one about nothing that was measured', () => {
    const xml = junitXml({ ...GATED, configurations: [] });
    expect(xml).toContain('<testsuite name="model.onnx" tests="5" failures="3"');
  });

  it('says no host name and no time of day', () => {
    expect(junitXml(GATED)).not.toMatch(/hostname|timestamp|\d\d:\d\d/);
  });
});

describe('junitXml of a model that was made or compared', () => {
  const makers = [compareReport, quantizeReport, optimizeReport];

  it('is valid, with and without budgets, whatever names say', async () => {
    const documents = makers.flatMap((make) => NAMES.map((name) => junitXml(make(name))));
    const bare = makers.map((make) => junitXml({ ...make('net.onnx'), budgets: [] }));
    expect(await complaints([...documents, ...bare])).toEqual([]);
    for (const document of documents) expect(document).not.toMatch(/^\s*::|##\[/m);
  });

  it('has a case for what was checked and one for each budget, as bench has', () => {
    const xml = junitXml(compareReport('net.onnx'));
    expect(xml).toContain('<testsuite name="net.onnx.int8" tests="5" failures="1" errors="0" skipped="1"');
    expect(xml).toContain('<testcase name="compared" classname="compare.net_onnx_int8" time="0.014800">');
    expect(xml).toContain('<failure type="fail" message="sqnr ≥ 40dB: measured 31.2 dB; net.onnx"/>');
    expect(xml).toContain(
      '<skipped type="inconclusive" message="speed-up ≥ 2.9x: measured 2.88× (95 %: 2.78×–3.03×); net.onnx"/>',
    );
  });

  it('skips what was not checked', () => {
    const verification = { structure: 'passed', loads: 'skipped', runs: 'skipped', reason: 'no runtime' } as const;
    const xml = junitXml({ ...quantizeReport('net.onnx'), verification });
    expect(xml).toMatch(
      /<testcase name="verified"[^>]*>\s*<skipped type="not-run" message="not verified: [^"]*no runtime"/,
    );
  });
});

describe('xmlText', () => {
  it.each([
    [']]><failure/>', ']]&#62;&#60;failure/&#62;'],
    ['a & "b" \'c\'', 'a &#38; &#34;b&#34; &#39;c&#39;'],
    ['a\u0000b\nc', 'a\\x00b\\nc'],
    ['half \ud800 pair', 'half \\u{d800} pair'],
    ['\ufffe\uffff', ''],
    ['##[command]x', '#&#35;[command]x'],
  ])('makes %j safe', (text, expected) => {
    expect(xmlText(text)).toBe(expected);
  });

  it('leaves no line of a log that GitHub Actions would act on', () => {
    for (const name of NAMES) expect(junitXml(hostile(name))).not.toMatch(/^\s*::|##\[/m);
  });
});
