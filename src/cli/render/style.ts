/** SGR codes, on and off. */
const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type StyleName = keyof typeof CODES;

/** One function a style, and the words that go with the signs: colour alone never carries a meaning. */
export type Style = Readonly<Record<StyleName, (text: string) => string>> & {
  readonly enabled: boolean;
  readonly ok: string;
  readonly failed: string;
  readonly warning: string;
};

/** Makes the style of one stream. */
export function createStyle(enabled: boolean): Style {
  const paint = (name: StyleName) => (text: string) =>
    enabled && text !== '' ? `\x1b[${CODES[name][0]}m${text}\x1b[${CODES[name][1]}m` : text;
  return {
    enabled,
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
    ok: paint('green')('✓'),
    failed: paint('red')('✗'),
    warning: paint('yellow')('▲'),
  };
}

export interface ColourWish {
  /** `--color` is true, `--no-color` false. */
  readonly flag?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean;
}

/** Flag before NO_COLOR before FORCE_COLOR before what the stream is. Source: no-color.org, force-color.org. */
export function wantsColour({ flag, env, isTTY }: ColourWish): boolean {
  if (flag !== undefined) return flag;
  if (env.NO_COLOR) return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTTY && env.TERM !== 'dumb';
}
