import { expect } from 'vitest';
import { printModel } from '../../../src/ir/text/print-model.js';
import {
  type Bytes,
  concat,
  graph,
  latin1,
  message,
  model,
  node,
  nodeDomain,
  nodeName,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const { loads } = group('4 names');

/** A model in which every name there is carries `name`: graph, node, values, attribute, metadata, symbol, producer. */
function named(name: string | Bytes): Bytes {
  const bytes = typeof name === 'string' ? new TextEncoder().encode(name) : name;
  const out = concat(bytes, latin1('2'));
  const type = concat(message(1, concat(Uint8Array.of(0x08, 1), message(2, message(1, message(2, bytes))))));
  return model(
    {
      opsets: [
        ['', 17],
        ['custom', 1],
      ],
      graph: concat(
        message(
          1,
          node(
            'Op',
            [bytes],
            [out],
            nodeName(bytes),
            nodeDomain('custom'),
            message(5, message(1, bytes), Uint8Array.of(0x18, 1), Uint8Array.of(0xa0, 1, 2)),
          ),
        ),
        message(2, bytes),
        message(11, valueInfo(bytes, type)),
        message(12, valueInfo(out, type)),
      ),
    },
    message(2, bytes),
    message(6, bytes),
    message(14, message(1, bytes), message(2, bytes)),
  );
}

const NAMES: readonly (readonly [string, string | Bytes])[] = [
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['toString', 'toString'],
  ['hasOwnProperty', 'hasOwnProperty'],
  ['ANSI colour', '\u001b[31mred\u001b[0m'],
  ['OSC title and clipboard', '\u001b]0;owned\u0007\u001b]52;c;ZXZpbA==\u0007'],
  ['C1 control', '\u009b31m'],
  ['GitHub workflow command', '::error file=x::boom\n::set-output name=a::b'],
  ['carriage return and line feed', 'a\r\nb'],
  ['XML', ']]></testcase><testcase name="x"/>'],
  ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
  ['Markdown', '| a | [x](javascript:alert(1)) | `'],
  ['path', '../../../../etc/passwd'],
  ['absolute path', '/etc/passwd'],
  ['device', 'CON'],
  ['NUL', 'a\0b'],
  ['shell', '$(touch pwned); `id` && "'],
  ['right-to-left override', 'ab\u202egnp.exe'],
  ['zero width', 'a\u200bb'],
  ['template', '{{7*7}}#{7*7}%s%n'],
  ['astral characters', '\u{1f600}\u{10ffff}'],
  ['space', ' '],
  ['1 MB', 'n'.repeat(1_000_000)],
  ['not UTF-8', latin1('a\xff\xfe\x80b')],
  ['overlong UTF-8', latin1('\xc0\xaf')],
  ['UTF-8 surrogate', latin1('\xed\xa0\x80')],
];

export const HOSTILE_NAMES: readonly HostileKind[] = [
  ...NAMES.map(([name, content]) =>
    loads(
      name,
      () => named(content),
      (read) => {
        expect(read.graph.values.size).toBe(2);
        expect(Object.keys(Object.prototype)).toEqual([]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not come through.
        expect(printModel(read)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/);
      },
    ),
  ),
  loads(
    'two names that differ in one bad byte',
    () =>
      model({
        graph: graph({
          nodes: [node('Neg', [latin1('a\xff')], ['Y']), node('Neg', [latin1('a\xfe')], ['Z'])],
          inputs: [valueInfo(latin1('a\xff')), valueInfo(latin1('a\xfe'))],
          outputs: [valueInfo('Y'), valueInfo('Z')],
        }),
      }),
    (read) => expect(read.graph.inputs).toHaveLength(2),
  ),
];
