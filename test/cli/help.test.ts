import { describe, expect, it } from 'vitest';
import { COMMANDS, flagsOf } from '../../src/cli/commands.js';
import { FLAGS } from '../../src/cli/flags.js';
import { commandHelp, programHelp } from '../../src/cli/help.js';
import { helpDocument } from '../../src/cli/help-document.js';
import { createStyle } from '../../src/cli/render/style.js';

const plain = createStyle(false);
const pages = [
  ['the program', programHelp(plain)] as const,
  ...COMMANDS.map((command) => [command.name, commandHelp(command, plain)] as const),
];

describe('help', () => {
  it.each(pages)('of %s keeps to a screen of 40 lines and 80 columns', (_name, text) => {
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it.each(pages)('of %s shows an example before anything else', (_name, text) => {
    expect(text.indexOf('$ ')).toBeLessThan(text.indexOf('Usage:'));
  });

  it('leaves no flag without a command', () => {
    const common = ['json', 'quiet', 'verbose', 'debug', 'color', 'no-color', 'help'];
    const used = new Set<string>([...COMMANDS.flatMap(flagsOf), ...common]);
    expect(Object.keys(FLAGS).filter((name) => !used.has(name))).toEqual([]);
  });

  it('gives a short name one meaning', () => {
    const shorts = Object.values(FLAGS).flatMap((flag) => ('short' in flag ? [flag.short] : []));
    expect(new Set(shorts).size).toBe(shorts.length);
  });
});

describe('help as JSON', () => {
  it('lists every command and every flag with what its table knows', () => {
    const { commands, flags } = helpDocument();
    expect(commands.map(({ name }) => name)).toEqual(COMMANDS.map(({ name }) => name));
    const names = new Set([...commands.flatMap((command) => command.flags), ...flags].map(({ flag }) => flag));
    expect([...names].sort()).toEqual(
      Object.keys(FLAGS)
        .map((name) => `--${name}`)
        .sort(),
    );
    const quantize = commands.find(({ name }) => name === 'quantize');
    expect(quantize?.flags).toContainEqual({
      flag: '--mode',
      summary: FLAGS.mode.summary,
      group: 'Method',
      type: 'text',
      value: 'MODE',
      choices: FLAGS.mode.choices,
      default: FLAGS.mode.default,
      repeatable: false,
      path: false,
      advanced: false,
    });
    expect(quantize?.flags).toContainEqual(
      expect.objectContaining({ flag: '--mem', type: 'text', advanced: true, value: 'SIZE' }),
    );
    expect(quantize?.flags).toContainEqual(
      expect.objectContaining({ flag: '--samples', type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 }),
    );
  });
});
