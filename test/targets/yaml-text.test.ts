import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { whyNotYaml, withYamlEntries, yamlData, yamlText } from '../../src/targets/yaml-text.js';

/** Strings that some reader of YAML takes for something else. */
const TRAPS = [
  ...['', ' ', '~', 'null', 'Null', 'yes', 'No', 'on', 'OFF', 'y', 'N', 'true', 'False', '.inf', '.NaN', '-', '--- a'],
  ...[
    '1',
    '01',
    '0x10',
    '0o17',
    '1e3',
    '1_000',
    '12:30:45',
    '2026-11-30',
    '1.0',
    '+1',
    '=',
    '<<',
    '*a',
    '&a',
    '!t',
    '%d',
  ],
  ...[
    'a: b',
    'a #b',
    '# a',
    '"',
    "'",
    '{a}',
    '[a]',
    'a, b',
    '@a',
    '`a`',
    '|',
    '>',
    'a\nb',
    'a\r\nb',
    '\tb',
    'a\u0000b',
  ],
  ...[
    '\u2028',
    '\u0085',
    '\ufeff',
    '\u{1f600}',
    '\\',
    'a\\n',
    ' a',
    'a ',
    '\n',
    'a\n',
    '\na',
    '  a\nb',
    'a\n\n',
    '-a\n-b',
  ],
];

describe('yamlText', () => {
  it.each(['1.1', '1.2'] as const)('gives strings that readers of YAML %s read back', (version) => {
    for (const text of TRAPS) {
      const written = yamlText({ key: text, list: [text], [text]: 1 });
      expect(parse(written, { version }), JSON.stringify(text)).toEqual({ key: text, list: [text], [text]: 1 });
    }
  });

  it('gives any data back, in both versions', () => {
    const data = fc.jsonValue({ maxDepth: 3 }).map((value) => ({ value }));
    fc.assert(
      fc.property(data, ({ value }) => {
        // JSON has -0 and 0 as one number for what follows.
        const plain = JSON.parse(JSON.stringify({ value })) as Parameters<typeof yamlText>[0];
        for (const version of ['1.1', '1.2'] as const)
          expect(parse(yamlText(plain), { version, merge: false })).toEqual(plain);
      }),
    );
  });

  it('leaves plain words unquoted, and out what has no value', () => {
    expect(yamlText({ kind: 'Deployment', path: '/v2/health/ready', port: 8000, gone: undefined, on: true })).toBe(
      'kind: Deployment\npath: /v2/health/ready\nport: 8000\n"on": true\n',
    );
  });

  it('writes texts of several lines as blocks', () => {
    expect(yamlText({ config: 'a=1\nb=2\n' })).toBe('config: |\n  a=1\n  b=2\n');
  });

  it('puts a comment above', () => {
    expect(yamlText({ a: 1 }, { comment: 'One.\nTwo.' })).toBe('# One.\n# Two.\n\na: 1\n');
  });
});

describe('withYamlEntries', () => {
  const theirs = '# mine\nkind: Kustomization\nresources: [old.yaml]\npatches:\n  - path: mine.yaml # keep\n';

  it('sets entries and keeps comments and entries of others', () => {
    const text = withYamlEntries(theirs, { resources: ['a.yaml', 'on'], namespace: '1' });
    expect(text).toContain('# mine');
    expect(text).toContain('path: mine.yaml # keep');
    expect(yamlData(text)).toEqual({
      kind: 'Kustomization',
      resources: ['a.yaml', 'on'],
      patches: [{ path: 'mine.yaml' }],
      namespace: '1',
    });
  });
});

describe('whyNotYaml', () => {
  it('has nothing against a document, and tells where one breaks', () => {
    expect(whyNotYaml('a: 1\n')).toBeUndefined();
    expect(whyNotYaml('a: [1\n')).toMatch(/line/);
  });
});
