import { ServeOptError } from '../errors.js';
import { suggest } from '../suggest.js';
import { EXECUTION_PROVIDERS, PROVIDER_ALIASES, type ProviderEntry, providerEntry } from './execution-providers.js';
import type { ExecutionProvider, ProviderOptionValue } from './types.js';

/** What one item of `--ep` asks for. */
export interface ProviderChoice {
  /** As it was written, without blanks. */
  readonly text: string;
  /** Whatever works here, the best first. `providers` is empty then. */
  readonly auto: boolean;
  /** In order: a node runs on the first that has a kernel for it. */
  readonly providers: readonly ExecutionProvider[];
}

const AUTO = 'auto';

/** Words that `--ep` takes, for help and messages. */
export const PROVIDER_WORDS: readonly string[] = [...EXECUTION_PROVIDERS.map(({ name }) => name), AUTO];

/**
 * Reads one item of `--ep`: a provider (`cuda`), one with options (`cuda:1`, `webgpu:preferredLayout=NHWC`, several
 * after one more colon each), some in order of preference (`tensorrt+cuda`), or `auto`. Items of a list value are
 * separated by `|`.
 * @throws SO1006 for what it does not know, with what was probably meant
 */
export function parseProviderChoice(text: string): ProviderChoice {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === AUTO) return { text: AUTO, auto: true, providers: [] };
  const parts = trimmed.split('+').map((part) => part.trim());
  const providers = parts.map((part) => parseProvider(part, text));
  const names = providers.map((provider) => (typeof provider === 'string' ? provider : provider.name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused(text, `${twice} is listed twice`);
  return { text: parts.join('+'), auto: false, providers };
}

function parseProvider(part: string, whole: string): ExecutionProvider {
  const [word = '', ...settings] = part.split(':').map((piece) => piece.trim());
  if (word === '') throw refused(whole, 'a name is missing', `One of ${PROVIDER_WORDS.join(', ')}`);
  if (word.toLowerCase() === AUTO)
    throw refused(whole, '"auto" cannot be combined with others: it chooses the provider');
  const entry = providerEntry(word.toLowerCase());
  if (!entry) {
    const meant = suggest(word, [...PROVIDER_WORDS, ...PROVIDER_ALIASES.keys()]);
    throw refused(
      whole,
      `unknown provider "${word}"`,
      meant === undefined ? `One of ${PROVIDER_WORDS.join(', ')}` : `Did you mean ${meant}?`,
    );
  }
  if (settings.length === 0) return entry.name;
  const options = new Map(settings.map((setting) => parseSetting(entry, setting, whole)));
  // Keys are those of the table, so a plain object is safe.
  return { name: entry.name, options: Object.fromEntries(options) };
}

function parseSetting(entry: ProviderEntry, setting: string, whole: string): [string, ProviderOptionValue] {
  const at = setting.indexOf('=');
  const key = at < 0 ? entry.mainOption : setting.slice(0, at).trim();
  const known = [...entry.options.keys()];
  const all = known.length === 0 ? `${entry.name} has no options` : `Options of ${entry.name}: ${known.join(', ')}`;
  if (key === undefined) throw refused(whole, `"${setting}" is not an option`, all);
  const canonical = known.find((name) => name.toLowerCase() === key.toLowerCase());
  const kind = canonical === undefined ? undefined : entry.options.get(canonical);
  if (canonical === undefined || !kind) {
    const meant = suggest(key, known);
    const what = `${entry.name} has no option "${key}"`;
    throw refused(whole, what, meant === undefined ? all : `Did you mean ${meant}?`);
  }
  const value = setting.slice(at + 1).trim();
  const wrong = (wanted: string): ServeOptError => refused(whole, `${canonical} is ${wanted}, not "${value}"`);
  switch (kind.kind) {
    case 'integer':
      if (!/^\d{1,6}$/.test(value)) throw wrong('a whole number from 0 on');
      return [canonical, Number(value)];
    case 'boolean':
      if (value !== 'true' && value !== 'false') throw wrong('true or false');
      return [canonical, value === 'true'];
    case 'word': {
      const word = kind.words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
      if (word === undefined) throw wrong(`one of ${kind.words.join(', ')}`);
      return [canonical, word];
    }
    case 'list':
      return [canonical, value.split('|').filter((item) => item !== '')];
  }
}

function refused(whole: string, what: string, hint?: string): ServeOptError {
  return new ServeOptError(
    'SO1006',
    `"${whole}" is not an execution provider: ${what}`,
    hint === undefined ? {} : { hint },
  );
}
