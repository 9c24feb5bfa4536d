import { ServeOptError } from '../errors.js';

/** What stands in place of a secret. */
const HIDDEN = '…';

/** Shorter ones are ordinary words too often; they are kept out of messages where these are made. */
const SHORTEST = 4;
/** Between the sign of a cut and what was cut. */
const MOST_SPACE = 8;
/** From this length on a secret is taken out amid other letters too. */
const CERTAIN = 6;

/** Headers that say nothing of who sends them. */
const PLAIN_HEADERS = /^(accept|accept-\w+|content-\w+|user-agent|cache-control|pragma|date|traceparent|tracestate)$/i;
/** Of headers whose names say that they hold a secret, each word counts; of others a short plain word is only a word. */
const TELLING_NAME = /auth|cookie|key|token|secret|pass|cred|sig|session/i;
/** Words of a header that are no secret. */
const PLAIN_WORDS = /^(basic|bearer|digest|negotiate|token|apikey|api-key|true|false|null|none)$/i;

/**
 * What looks like a URL, to its end: a text is read once, however long its words are. No scheme that matters here is longer.
 */
const URL_LIKE = /[a-z][a-z0-9+.-]{0,15}:[\\/]{2}[^\s"'<>]*/gi;
/** `://user:password@` up to the last `@` before the path; what cannot be one is skipped whole. */
const AUTHORITY = /(:[\\/]{2,})([^/\\?#]*)/g;
const CREDENTIALS = /\b(bearer|basic)(\s+)(?=[^\s"']*\d)[\w.~+/=-]{8,}/gi;

/**
 * A text without what looks like a secret: user and password of a URL, all behind its `?` or `#`, and the token behind
 * `Bearer` or `Basic`.
 */
export function withoutCredentials(text: string): string {
  return text.replace(URL_LIKE, withoutUrlSecrets).replace(CREDENTIALS, `$1$2${HIDDEN}`);
}

function withoutUrlSecrets(url: string): string {
  const query = url.search(/[?#]/);
  const hasQuery = query >= 0 && query + 1 < url.length;
  const head = (hasQuery ? url.slice(0, query + 1) : url).replace(
    AUTHORITY,
    (whole, slashes: string, authority: string) => {
      const at = authority.lastIndexOf('@');
      return at < 0 ? whole : `${slashes}${HIDDEN}${authority.slice(at)}`;
    },
  );
  return hasQuery ? head + HIDDEN : head;
}

/** Keys of a report whose values are words of this program. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'command',
  'subject',
  'version',
  'scenario',
  'protocol',
  'verdict',
  'metric',
  'kind',
  'code',
  'environment',
  'segments',
]);

/**
 * The secrets that a run was given: credentials of URLs, all values behind a `?`, values of headers. They are taken out of
 * all text before it leaves, also where a server repeats what it was sent.
 */
export class Secrets {
  /** Longest first, so that no part of one is left. */
  readonly #texts: readonly string[];

  constructor(given: { readonly urls?: readonly string[]; readonly headers?: readonly string[] }) {
    const found = new Set<string>();
    for (const url of given.urls ?? []) for (const text of secretsOfUrl(url)) found.add(text);
    for (const line of given.headers ?? []) for (const text of secretsOfHeader(line)) found.add(text);
    this.#texts = [...found]
      .flatMap(writings)
      .filter((text) => text.length >= SHORTEST)
      .sort((a, b) => b.length - a.length);
  }

  /** A text without any of the secrets, nor the ends of one that was cut by `…`. */
  redact(text: string): string {
    let result = withoutCredentials(text);
    for (const secret of this.#texts) {
      if (result.includes(secret)) result = without(result, secret);
      result = withoutEnds(result, secret);
    }
    return result;
  }

  /** The same error with its words, stack and causes redacted; anything else as it is. */
  redactError<T>(thrown: T): T {
    return thrown instanceof ServeOptError ? (this.#redacted(thrown) as T) : thrown;
  }

  #redacted(thrown: ServeOptError): ServeOptError {
    const { code, why, hint, location, cause, stack } = thrown;
    const places = Object.entries(location).map(([key, part]: [string, unknown]) => [
      key,
      typeof part === 'string' ? this.redact(part) : part,
    ]);
    const error = new ServeOptError(code, this.redact(thrown.message), {
      ...(why === undefined ? {} : { why: this.redact(why) }),
      hint: this.redact(hint),
      location: Object.fromEntries(places) as ServeOptError['location'],
      ...(cause === undefined ? {} : { cause: this.#redactCause(cause, 0) }),
    });
    if (stack !== undefined) error.stack = this.redact(stack);
    return error;
  }

  /** A cause as a plain error: its fields, such as the input of a URL that could not be parsed, stay behind. */
  #redactCause(cause: unknown, depth: number): unknown {
    if (depth > 8 || !(cause instanceof Error)) return undefined;
    const below = cause.cause === undefined ? undefined : this.#redactCause(cause.cause, depth + 1);
    const plain = new Error(this.redact(cause.message), below === undefined ? undefined : { cause: below });
    plain.name = cause.name;
    plain.stack = this.redact(cause.stack ?? cause.message);
    return plain;
  }

  /** A report whose texts are redacted, but for those that are this program's own words. */
  redactReport<T>(report: T): T {
    return this.#redactValue(report) as T;
  }

  #redactValue(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.#redactValue(item));
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, OWN_KEYS.has(key) ? item : this.#redactValue(item)]),
    );
  }
}

/** User, password, and all values behind `?` or `#`, of what may not be a URL at all. */
function secretsOfUrl(text: string): string[] {
  const found: string[] = [];
  const at = text.lastIndexOf('@');
  if (at >= 0) {
    const userInfo = text.slice(0, at).replace(/^[a-z][a-z0-9+.-]*:[\\/]+/i, '');
    const colon = userInfo.indexOf(':');
    const [user, password] = colon < 0 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
    // A token may stand in place of the user; a short name is only a name.
    if (password === '' || user.length >= 8) found.push(user);
    found.push(userInfo, password);
  }
  const query = text.search(/[?#]/);
  if (query >= 0) {
    for (const part of text.slice(query + 1).split(/[&;?#]/)) found.push(part, part.slice(part.indexOf('=') + 1));
  }
  return found;
}

/** The value of a header and its words; of a line without a colon all but the first word. */
function secretsOfHeader(line: string): string[] {
  const colon = line.indexOf(':');
  const space = line.trim().search(/\s/);
  const name = colon >= 0 ? line.slice(0, colon).trim() : '';
  const value = (colon >= 0 ? line.slice(colon + 1) : line.trim().slice(space + 1)).trim();
  if (PLAIN_HEADERS.test(name)) return [];
  const basic = /\bbasic\s/i.test(value);
  const words = value.split(/[\s,;]+/).flatMap((word) => {
    const parts = [word];
    // `session=…` of a cookie; the signs at the end of base64 are no name.
    const sign = word.search(/=[^=]/);
    if (sign >= 0) parts.push(word.slice(sign + 1));
    // User and password in base64.
    if (basic) parts.push(...secretsOfUrl(`${Buffer.from(word, 'base64').toString('latin1')}@`));
    return parts;
  });
  const telling = colon < 0 || TELLING_NAME.test(name);
  return [value, ...words.filter((word) => telling || !/^[a-z]{1,7}$/i.test(word))].filter(
    (word) => !PLAIN_WORDS.test(word),
  );
}

/** The forms in which a text may come back. */
function writings(text: string): string[] {
  const forms = new Set([text, JSON.stringify(text).slice(1, -1)]);
  try {
    forms.add(decodeURIComponent(text));
    forms.add(encodeURIComponent(text));
  } catch {
    // No such form.
  }
  return [...forms];
}

function without(text: string, secret: string): string {
  if (secret.length >= CERTAIN) return text.replaceAll(secret, HIDDEN);
  const literal = secret.replace(/[^\w]/g, '\\$&');
  return text.replace(new RegExp(`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`, 'g'), HIDDEN);
}

/** Long texts are cut with `…`: what is left of a secret beside the cut goes too. */
function withoutEnds(text: string, secret: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let cut = text.indexOf(HIDDEN); cut >= 0; cut = text.indexOf(HIDDEN, from)) {
    // No more than what could be the end of a secret is looked at, so that many cuts cost no more than the text is long.
    const before = text.slice(Math.max(from, cut - secret.length - MOST_SPACE), cut).trimEnd();
    const gone = longest(secret, before.length, (length) => before.endsWith(secret.slice(0, length)));
    if (gone > 0) kept.push(text.slice(from, cut).trimEnd().slice(0, -gone));
    else kept.push(text.slice(from, cut));
    kept.push(HIDDEN);
    from = cut + HIDDEN.length;
    const window = text.slice(from, from + secret.length + MOST_SPACE);
    const after = window.trimStart();
    const begun = longest(secret, after.length, (length) => after.startsWith(secret.slice(-length)));
    if (begun > 0) from += window.length - after.length + begun;
  }
  return kept.length === 0 ? text : kept.join('') + text.slice(from);
}

/** Length of the longest part of a secret that `is` there; 0 when none worth the name is. */
function longest(secret: string, most: number, is: (length: number) => boolean): number {
  for (let length = Math.min(secret.length - 1, most); length >= SHORTEST; length--) if (is(length)) return length;
  return 0;
}

/** A word that looks like a header with a secret, whatever flag it was meant for. */
const HEADER_WORD =
  /^(?:--?[\w-]+=)?((?:proxy-)?authorization\b.*|[\w-]*(?:key|token|secret|password|cookie)[\w-]*:.*)$/is;

/**
 * The secrets among the words of a command line, right or wrong: values of `--url` and `--header`, also where quotes were
 * forgotten around a header, and whatever else looks like a URL or a header with a token.
 */
export function secretsOfArguments(argv: readonly string[]): Secrets {
  const urls: string[] = [];
  const headers: string[] = [];
  for (const [index, word] of argv.entries()) {
    const before = argv[index - 1];
    const value = /^--(?:url|header)=(.*)$/s.exec(word)?.[1];
    if (before === '--url' || word.startsWith('--url=') || /:[\\/]{2}/.test(word)) urls.push(value ?? word);
    else if (before === '--header' || word.startsWith('--header=')) headers.push(value ?? word);
    else {
      const header = HEADER_WORD.exec(word)?.[1];
      if (header !== undefined) headers.push(header);
    }
    // `--header X-Api-Key: abc` without quotes: the words up to the next flag are the value.
    if (before === '--header' && /^\S+$/.test(word)) {
      const rest = argv.slice(index + 1);
      const end = rest.findIndex((each) => each.startsWith('-'));
      const words = end < 0 ? rest : rest.slice(0, end);
      if (words.length > 0) headers.push(`${word} ${words.join(' ')}`);
    }
  }
  return new Secrets({ urls, headers });
}
