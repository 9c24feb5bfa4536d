/** What tests of formats share: names that try to break out, and every sample report. */
import { CUT_SHORT, GATED, HOSTILE_NAMES, hostile, PLAIN, SERVER, SWEPT } from '../bench-reports.js';

/** More than the common list: what Markdown, XML, OpenMetrics and workflow commands would act on. */
export const NAMES: readonly string[] = [
  ...HOSTILE_NAMES,
  '',
  ' ',
  '\\',
  '\\|',
  '`',
  'a\nb\r\nc',
  '"} 1\n# EOF',
  '</code></td><b>',
  'owner/repo#1 GH-12 TICKET-5 #7 0123456789abcdef',
  'www.example.invalid user@example.invalid [a](b) ![c](d) <http://e.invalid>',
  '\ufffe\uffff\udfff\ud800\u{1f600}',
  '&lt;b&gt; &#64;everyone',
  '$x$ :smile: ~~y~~ **z** _w_ [^1]',
  'x'.repeat(100_000),
];

export const REPORTS = { PLAIN, SWEPT, GATED, SERVER, CUT_SHORT } as const;

export const HOSTILE_REPORTS = NAMES.map((name) => hostile(name));
