import { describe, expect, it } from 'vitest';
import { createStyle, wantsColour } from '../../../src/cli/render/style.js';

describe('wantsColour', () => {
  it.each([
    ['a terminal has colour', {}, true, undefined, true],
    ['a pipe has none', {}, false, undefined, false],
    ['NO_COLOR beats a terminal', { NO_COLOR: '1' }, true, undefined, false],
    ['NO_COLOR beats FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, undefined, false],
    ['an empty NO_COLOR says nothing', { NO_COLOR: '' }, true, undefined, true],
    ['FORCE_COLOR beats a pipe', { FORCE_COLOR: '1' }, false, undefined, true],
    ['FORCE_COLOR=0 beats a terminal', { FORCE_COLOR: '0' }, true, undefined, false],
    ['a dumb terminal has none', { TERM: 'dumb' }, true, undefined, false],
    ['the flag beats NO_COLOR', { NO_COLOR: '1' }, false, true, true],
    ['the other flag beats FORCE_COLOR', { FORCE_COLOR: '1' }, true, false, false],
  ])('%s', (_title, env, isTTY, flag, expected) => {
    expect(wantsColour({ flag, env, isTTY })).toBe(expected);
  });
});

describe('createStyle', () => {
  it('writes no codes when colour is off, but keeps the signs', () => {
    const style = createStyle(false);
    expect(style.red('x') + style.ok + style.failed + style.warning).toBe('x✓✗▲');
  });
});
