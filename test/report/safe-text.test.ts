import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutWorkflowCommands, workflowError } from '../../src/cli/render/workflow-commands.js';
import { safeText } from '../../src/report/safe-text.js';

describe('safeText', () => {
  it.each([
    ['a plain name stays', '/layer1/conv:0', '/layer1/conv:0'],
    ['letters of any script stay', 'слой 層 ℝ 🙂', 'слой 層 ℝ 🙂'],
    ['line breaks become visible', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['colour sequences become visible', '\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['window titles become visible', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
    ['8-bit control sequences become visible', '\u009b31m', '\\x9b31m'],
    ['reversed text becomes visible', 'a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['zero-width joiners become visible', 'a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['half surrogates become visible', 'a\ud800b', 'a\\u{d800}b'],
    ['tag characters become visible', 'a\u{e0041}', 'a\\u{e0041}'],
  ])('%s', (_title, input, expected) => {
    expect(safeText(input)).toBe(expected);
  });

  it('cuts a long name in the middle', () => {
    expect(safeText('abcdefghijklmnopqrstuvwxyz', 11)).toBe('abcde…vwxyz');
  });

  it('lets no control character through, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(safeText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });
});

describe('withoutWorkflowCommands', () => {
  it('defuses commands at the start of a line, also after spaces', () => {
    expect(withoutWorkflowCommands('::set-output name=a::b\n  ::error::x')).toBe(
      '\\x3a:set-output name=a::b\n  \\x3a:error::x',
    );
  });

  it('defuses the old form anywhere', () => {
    expect(withoutWorkflowCommands('name ##[add-mask]x')).toBe('name #\\x23[add-mask]x');
  });

  it('leaves names with colons alone', () => {
    expect(withoutWorkflowCommands('node aten::add')).toBe('node aten::add');
  });

  it('escapes what goes into an annotation of our own', () => {
    expect(workflowError('a:b,c', '50% worse\n::error::x')).toBe('::error title=a%3Ab%2Cc::50%25 worse%0A::error::x\n');
  });
});
