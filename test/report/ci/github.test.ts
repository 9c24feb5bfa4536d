import { describe, expect, it } from 'vitest';
import { githubAnnotations, githubOutputs } from '../../../src/report/ci/github.js';
import { workflowAnnotation } from '../../../src/report/ci/workflow-commands.js';
import { CUT_SHORT, configuration, GATED, hostile, PLAIN, SWEPT } from '../bench-reports.js';
import { NAMES } from './hostile.js';

/** A line as the runner reads it: command, properties, message. */
const COMMAND = /^::(error|warning|notice) title=([^:,]*)::(.*)$/;

describe('githubAnnotations', () => {
  it('makes errors of broken gates and warnings of undecided ones', () => {
    expect(githubAnnotations(GATED).split('\n')).toEqual([
      '::error title=p99 ≤ 10ms%3A fail::model.onnx: measured 12.5 ms (95 %25: 11.9–13.1 ms); 31 of 1,000 runs over; at least 2.1 %25 with 95 %25 confidence, 1 %25 allowed',
      '::error title=size ≤ 25MB%3A fail::model.onnx: measured 25.1 MB',
      '::error title=against the baseline%3A fail::model.onnx against base.onnx: latency +10.1 %25 (95 %25: +9.4 to +10.9 %25); 10.1 %25 slower (95 %25: 9.4-10.9 %25); noise 0.8 %25, counts from 3 %25',
      '::warning title=p99.9 ≤ 20ms%3A inconclusive::model.onnx: 0 of 1,000 runs over; needs 2,995 runs',
      '',
    ]);
  });

  it('says nothing where all is well', () => {
    expect(githubAnnotations(PLAIN)).toBe('');
  });

  it('tells of errors, warnings, an interruption and a suggestion', () => {
    expect(githubAnnotations(CUT_SHORT)).toBe(
      '::error title=not measured%3A cuda::SO5005 Execution provider cuda is not available\n' +
        '::warning title=serve-opt bench::interrupted: the report has partial results\n',
    );
    expect(githubAnnotations(SWEPT)).toContain(
      '::notice title=suggested configuration::2 threads batch=8: most samples',
    );
    expect(githubAnnotations(SWEPT)).toContain('::warning title=serve-opt bench::4 threads are more than the 2 CPUs');
  });

  it('keeps to ten of a kind, as many as GitHub shows', () => {
    const [budget] = GATED.budgets;
    const budgets = Array.from({ length: 30 }, (_, index) => ({ ...budget, configuration: `number ${index}` }));
    const lines = githubAnnotations({ ...PLAIN, budgets: budgets as typeof GATED.budgets })
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe('::error title=serve-opt bench::and 21 more errors: see the report');
  });

  it.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 60), name]))('lets %s give no command', (_title, name) => {
    const lines = githubAnnotations(hostile(name)).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    for (const line of lines) {
      expect(line).toMatch(COMMAND);
      expect(line).not.toContain('##[');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
  });

  it('escapes what ends a command, a property or a line', () => {
    expect(workflowAnnotation('notice', 'a:b,c%', 'x%\r\n::error::y ##[z]')).toBe(
      '::notice title=a%3Ab%2Cc%25::x%25%0D%0A::error::y #\\x23[z]\n',
    );
  });
});

/** Reads `$GITHUB_OUTPUT` as the runner does. Source: actions/runner's rules for file commands, in our words. */
function readOutputs(text: string): Map<string, string> {
  const lines = text.split('\n');
  const outputs = new Map<string, string>();
  for (let index = 0; index < lines.length - 1; index++) {
    const line = lines[index] ?? '';
    const heredoc = /^([^=<]+)<<(.+)$/.exec(line);
    if (heredoc) {
      const end = lines.indexOf(heredoc[2] ?? '', index + 1);
      expect(end).toBeGreaterThan(index);
      outputs.set(heredoc[1] ?? '', lines.slice(index + 1, end).join('\n'));
      index = end;
    } else {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(line) ?? [];
      expect(name).not.toBe('');
      outputs.set(name, value);
    }
  }
  return outputs;
}

const NAMES_OF_OUTPUTS = [
  'verdict',
  'summary',
  'configuration',
  'p50_ms',
  'p90_ms',
  'p95_ms',
  'p99_ms',
  'throughput',
  'memory_bytes',
  'cold_start_ms',
  'ratio',
];

describe('githubOutputs', () => {
  it('gives the verdict and the figures of the configuration that counts', () => {
    const outputs = readOutputs(githubOutputs(GATED, () => 'abc'));
    expect([...outputs.keys()]).toEqual(NAMES_OF_OUTPUTS);
    expect(outputs.get('verdict')).toBe('fail');
    expect(outputs.get('configuration')).toBe('model.onnx');
    expect(Number(outputs.get('p99_ms'))).toBeCloseTo(9.12, 2);
    expect(outputs.get('ratio')).toBe('1.101');
    expect(readOutputs(githubOutputs(SWEPT, () => 'abc')).get('configuration')).toBe('2 threads batch=8');
  });

  it('leaves out what was not measured', () => {
    const outputs = readOutputs(githubOutputs(CUT_SHORT, () => 'abc'));
    expect([...outputs]).toEqual([
      ['verdict', 'none'],
      ['configuration', 'cuda'],
    ]);
    const nan = { ...PLAIN, configurations: [configuration('x', Number.NaN)] };
    expect(readOutputs(githubOutputs(nan, () => 'abc')).has('p50_ms')).toBe(false);
  });

  it('takes another delimiter when a name holds the first', () => {
    const words = ['known', 'known', 'known', 'fresh', 'known'];
    const text = githubOutputs(hostile('serve_opt_known\nverdict=pass'), () => words.shift() ?? 'more');
    expect(readOutputs(text).get('verdict')).toBe('fail');
    expect(text).toContain('configuration<<serve_opt_fresh\nserve_opt_known\\nverdict=pass\nserve_opt_fresh\n');
  });

  it.each(NAMES.map((name) => [JSON.stringify(name).slice(0, 60), name]))('lets %s set nothing', (_title, name) => {
    const text = githubOutputs(hostile(name), () => 'abc');
    expect([...readOutputs(text).keys()]).toEqual(NAMES_OF_OUTPUTS);
    expect(text).not.toMatch(/^\s*::|##\[/m);
  });
});
