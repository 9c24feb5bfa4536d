/**
 * Every file of test/passes/cases is one pass on one graph:
 *
 *     # The title, a sentence.
 *     pass: fold-batch-normalization
 *     options: {"exclude": ["head"]}
 *     refuses: BatchNormalization: "c" is also used elsewhere
 *     --- before
 *     (a model in ONNX text syntax)
 *     --- after
 *     (the exact text that comes out)
 *
 * `pass` is required. `refuses` may come several times and then lists every refusal. Ranges in `options` are
 * `{"ranges": {"tensor": [min, max]}}`. What ONNX Runtime is fed can be said where seeded numbers and sizes of 2 will not do:
 *
 *     sizes: {"N": 3}
 *     feeds: {"axes": [-1]}
 *     sqnr: 60 dB, because FLOAT16 rounds
 *     outputs: unchecked, because ONNX Runtime has no Mul of opset 6
 *
 * `sqnr` replaces the bound of the pass's numerics. An unchecked case is one that ONNX Runtime cannot load or run at all.
 */

export interface PassCase {
  readonly title: string;
  readonly pass: string;
  readonly options: object;
  readonly refusals: readonly string[];
  readonly sizes: ReadonlyMap<string, number>;
  readonly feeds: ReadonlyMap<string, readonly number[]>;
  /** A bound of its own in dB. */
  readonly sqnrDb: number | undefined;
  /** Why ONNX Runtime cannot run it. */
  readonly unchecked: string | undefined;
  readonly before: string;
  readonly after: string;
  /** Everything above `--- before`. */
  readonly head: string;
}

const ONCE = ['pass', 'options', 'sizes', 'feeds', 'sqnr', 'outputs'];

/** @throws Error for a line or a field that says nothing to the runner, so that none is passed over */
export function parsePassCase(text: string): PassCase {
  const [head = '', rest = ''] = text.split('--- before\n');
  const [before = '', after = ''] = rest.split('--- after\n');
  const [title = '', ...lines] = head.trimEnd().split('\n');
  if (!/^# \S.*\.$/.test(title)) throw new Error(`the first line must be "# A sentence.", not "${title}"`);
  const fields = lines.map((line) => {
    const [, name = '', value = ''] = /^(\w+): (\S.*)$/.exec(line) ?? [];
    if (name !== 'refuses' && !ONCE.includes(name)) throw new Error(`"${line}" is no field of a case`);
    return { name, value };
  });
  const all = (name: string) => fields.filter((field) => field.name === name).map(({ value }) => value);
  const twice = ONCE.find((name) => all(name).length > 1);
  if (twice !== undefined) throw new Error(`${twice} is there twice`);
  const map = <T>(name: string) => new Map(Object.entries(JSON.parse(all(name)[0] ?? '{}') as Record<string, T>));
  return {
    title: title.slice(2),
    pass: all('pass')[0] ?? '',
    options: parseOptions(all('options')[0] ?? '{}'),
    refusals: all('refuses'),
    sizes: map<number>('sizes'),
    feeds: map<number[]>('feeds'),
    sqnrDb: reasoned(all('sqnr')[0], /^(\d+) dB, because (\S.*)$/, ([, bound]) => Number(bound)),
    unchecked: reasoned(all('outputs')[0], /^unchecked, because (\S.*)$/, ([, reason]) => reason ?? ''),
    before,
    after,
    head,
  };
}

function parseOptions(text: string): object {
  const options = JSON.parse(text) as { ranges?: Record<string, [number, number]> };
  if (!options.ranges) return options;
  return {
    ...options,
    ranges: new Map(Object.entries(options.ranges).map(([name, [min, max]]) => [name, { min, max }])),
  };
}

function reasoned<T>(value: string | undefined, form: RegExp, read: (match: RegExpExecArray) => T): T | undefined {
  if (value === undefined) return undefined;
  const match = form.exec(value);
  if (!match) throw new Error(`"${value}" is not of the form ${form}`);
  return read(match);
}
