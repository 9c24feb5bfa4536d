/** The text format against the official parser: fixtures/triton/text-cases.json, written by scripts/triton-text-cases.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_CONFIG, type ModelConfig } from '../../src/proto/model-config.js';
import { isScalar } from '../../src/proto/schema.js';
import { MAX_TEXT_BYTES, parseText, printText, type TextProblem } from '../../src/proto/text-format.js';
import { type AnyMessage, enumSchema, textMessage } from '../../src/proto/text-schema.js';

interface Case {
  readonly name: string;
  readonly text?: string;
  readonly base64?: string;
  /** In protobuf's JSON form, unless the official parser refused. */
  readonly message?: unknown;
  readonly refused?: string;
}

const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/triton/text-cases.json'), 'utf8'),
) as readonly Case[];

const parse = (source: string | Uint8Array) => parseText(MODEL_CONFIG, 'ModelConfig', source);
const print = (message: ModelConfig): string => printText(MODEL_CONFIG, 'ModelConfig', message);

function messageOf(source: string | Uint8Array): ModelConfig {
  const parsed = parse(source);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.message;
}

function problemsOf(source: string | Uint8Array): readonly TextProblem[] {
  const parsed = parse(source);
  if (parsed.ok) throw new Error('The text was taken');
  return parsed.problems;
}

/** What a person would read of a problem. */
const told = ({ line, column, message, suggestion }: TextProblem): string =>
  `${line}:${column} ${message}${suggestion === undefined ? '' : ` → ${suggestion}`}`;

describe('the official parser', () => {
  for (const { name, text, base64, message, refused } of CASES) {
    const source = text ?? Buffer.from(base64 ?? '', 'base64');
    if (refused === undefined) {
      it(`gives the same message for: ${name}`, () => {
        const ours = messageOf(source);
        expect(protoJson('ModelConfig', ours)).toEqual(message);
        expect(protoJson('ModelConfig', messageOf(print(ours)))).toEqual(message);
        expect(print(messageOf(print(ours)))).toBe(print(ours));
      });
    } else {
      it(`refuses, too: ${name}`, () => {
        expect(problemsOf(source).length).toBeGreaterThan(0);
      });
    }
  }
});

describe('problems', () => {
  const cases: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
    [
      'name the field that was probably meant',
      'name: "a"\n  max_batchsize: 4',
      ['2:3 A model configuration has no field max_batchsize → max_batch_size'],
    ],
    [
      'name the block where a field belongs',
      'preferred_batch_size: 4',
      [
        '1:1 A model configuration has no field preferred_batch_size; preferred_batch_size is a field of dynamic_batching, sequence_batching.oldest',
      ],
    ],
    ['spell types out', 'input { data_type: FP32 }', ['1:20 data_type has no value FP32 → TYPE_FP32']],
    [
      'know the names of other tools',
      'input { data_type: float16 }',
      ['1:20 data_type has no value float16 → TYPE_FP16'],
    ],
    [
      'tell quotes around a name',
      'input { data_type: "TYPE_FP32" }',
      ['1:20 data_type takes a name without quotes → TYPE_FP32'],
    ],
    ['tell what a number must be', 'max_batch_size: 4.5', ['1:17 max_batch_size: 4.5 is not an integer of 32 bits']],
    [
      'are all told, in the order of the text',
      'max_batch_size: "4"\ninput { dims: x }\ninput: 5',
      [
        '1:17 max_batch_size: "4" is not an integer of 32 bits',
        '2:15 dims: x is not an integer of 64 bits',
        '3:8 input is a block: its fields stand in braces, input { … }',
      ],
    ],
    [
      'name both schedulers',
      'dynamic_batching { }\nsequence_batching { }',
      [
        '2:1 sequence_batching is set beside dynamic_batching: only one of dynamic_batching, sequence_batching, ensemble_scheduling may be set',
      ],
    ],
    ['point at the second of two', 'name: "a"\nname: "b"', ['2:1 name is set twice']],
    ['point at the brace that is open', 'input {\n name: "a"', ['1:7 The block is not closed: "}" is missing']],
    [
      'show control characters by number',
      'name: "a"\u0001',
      ['1:10 A field name is due here, not the control character U+0001'],
    ],
    [
      'see escapes that do not exist',
      'name: "\\q"',
      [`1:7 name: "\\q" is not a text in quotes (illegal string escape '\\q')`],
    ],
  ];
  for (const [title, text, problems] of cases) {
    it(title, () => {
      expect(problemsOf(text).map(told)).toEqual(problems);
    });
  }
});

describe('positions', () => {
  const parsed = parse(
    'name: "a"\ninput [\n  { name: "x" dims: [ 1, 2 ] },\n  { name: "y" }\n]\nparameters { key: "k[.]" value { string_value: "1" } }',
  );
  const at = (path: string) => (parsed.ok ? parsed.positions.at(path) : undefined);

  it('are those of fields, elements and entries of maps', () => {
    expect(at('input[0].dims')).toEqual({ line: 3, column: 15 });
    expect(at('input[0].dims[1]')).toEqual({ line: 3, column: 26 });
    expect(at('input[1]')).toEqual({ line: 4, column: 3 });
    expect(at('parameters["k[.]"].string_value')).toEqual({ line: 6, column: 34 });
  });

  it('are those of what is around a field that is not there', () => {
    expect(at('input[1].reshape.shape')).toEqual({ line: 4, column: 3 });
    expect(at('parameters["other"].string_value')).toEqual({ line: 6, column: 1 });
    expect(at('dynamic_batching')).toEqual({ line: 1, column: 1 });
  });
});

describe('bytes', () => {
  it('may not begin with a byte order mark', () => {
    expect(problemsOf(Buffer.from('\ufeffname: "a"')).map(told)).toEqual([
      '1:1 The text begins with a byte order mark',
    ]);
  });

  it('are told from UTF-16', () => {
    expect(problemsOf(Buffer.from('\ufeffname: "a"', 'utf16le')).map(told)).toEqual([
      '1:1 The text is UTF-16: save it as UTF-8',
    ]);
  });

  it('that are not UTF-8 may stand in comments, and in strings with a notice', () => {
    const bytes = Buffer.concat([
      Buffer.from('# '),
      Buffer.from([0xe9]),
      Buffer.from('\nname: "a'),
      Buffer.from([0xe9, 0x22]),
    ]);
    const parsed = parse(bytes);
    expect(parsed.ok && parsed.message).toEqual({ name: 'a\ufffd' });
    expect(parsed.ok && parsed.notices.map(told)).toEqual(['2:7 name has bytes that are not UTF-8']);
  });

  it('that are not UTF-8 have a place elsewhere', () => {
    expect(problemsOf(Buffer.concat([Buffer.from('# é\n'), Buffer.from([0xe9])])).map(told)).toEqual([
      '2:1 A field name is due here, not "�"',
    ]);
  });

  it('of a number with a leading zero have a notice', () => {
    const parsed = parse('max_batch_size: 010 input { dims: [ 0, 00, 0x10 ] }');
    expect(parsed.ok && parsed.notices.map(told)).toEqual([
      '1:17 max_batch_size is 8: a number with a leading zero is octal',
    ]);
  });

  it('that are a replacement character are UTF-8', () => {
    expect(messageOf(Buffer.from('name: "\ufffd"'))).toEqual({ name: '\ufffd' });
  });

  it('may not be NUL', () => {
    expect(problemsOf('name: "a"\n\0').map(told)).toEqual(['2:1 The text has a NUL character here']);
  });
});

describe('hostile texts', () => {
  it('of more than a mebibyte are refused', () => {
    expect(problemsOf(`#${'x'.repeat(MAX_TEXT_BYTES)}`)[0]?.kind).toBe('limit');
  });

  it('of many blocks in each other are refused', () => {
    expect(problemsOf('input {'.repeat(100_000))[0]?.message).toMatch('nested more than 100 deep');
    expect(problemsOf('x: ['.repeat(100_000)).length).toBe(1);
  });

  it('of many values are refused', () => {
    expect(problemsOf(`input { ${'dims:1 '.repeat(100_001)} }`)[0]?.message).toMatch('more than 100000 values');
  });

  it('of as many values as may be are read', () => {
    const { input } = messageOf(`input { dims: [${'1,'.repeat(99_990)} 1] }`);
    expect(input?.[0]?.dims?.length).toBe(99_991);
  });

  it('with a string of a mebibyte, or as many escapes, are read', () => {
    expect(messageOf(`name: "${'x'.repeat(1_000_000)}"`).name?.length).toBe(1_000_000);
    expect(messageOf(`name: "${'\\n'.repeat(500_000)}"`).name?.length).toBe(500_000);
  });

  it('tell at most 50 problems', () => {
    expect(problemsOf('x: 1 '.repeat(1000)).length).toBe(50);
  });

  it('of any characters give a message or problems in the text', () => {
    const pieces = fc.constantFrom(
      'name',
      ':',
      '"',
      "'",
      '{',
      '}',
      '<',
      '>',
      '[',
      ']',
      ',',
      ';',
      '#',
      '\n',
      '\\',
      '4',
      '-',
      '.5f',
      'input',
      'dims',
      ' ',
      'é',
      'parameters',
      'key',
      'value',
      'TYPE_FP32',
      'data_type',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const parsed = parse(text);
        if (parsed.ok) expect(messageOf(print(parsed.message))).toEqual(parsed.message);
        else
          for (const { line, column } of parsed.problems)
            expect(text.split('\n')[line - 1]?.length).toBeGreaterThanOrEqual(column - 1);
      }),
      { numRuns: 2000 },
    );
  });
});

/** A message in protobuf's JSON form: what a scalar without presence has by default is left out. */
function protoJson(type: string, message: AnyMessage): unknown {
  const { fields, oneofs = {} } = textMessage(MODEL_CONFIG, type);
  const members = new Set(Object.values(oneofs).flatMap(({ oneof }) => oneof));
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`${type} has no field ${name}`);
    const one = (each: unknown): unknown => jsonValue(field.type, each);
    if (value instanceof Map) {
      const entries = [...value].map(([key, each]) => [String(key), one(each)] as const);
      result[name] = Object.fromEntries(entries);
    } else if (Array.isArray(value)) result[name] = value.map(one);
    else if (members.has(name) || !isDefault(field.type, value)) result[name] = one(value);
  }
  return result;
}

function jsonValue(type: string, value: unknown): unknown {
  if (type === 'int64' || type === 'uint64') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return isScalar(type) || enumSchema(MODEL_CONFIG, type) ? value : protoJson(type, value as AnyMessage);
}

function isDefault(type: string, value: unknown): boolean {
  const values = enumSchema(MODEL_CONFIG, type)?.values;
  if (values !== undefined) return value === Object.keys(values)[0];
  return value === '' || value === 0 || value === false;
}
