/**
 * What a terminal could act on or hide, and JSON.stringify leaves as it is: C1 controls, DEL, marks of direction,
 * invisible characters. All stand in strings, where an escape means the same.
 */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * A report as JSON text: two spaces, a line feed at the end. JSON lacks infinities and NaN: those become texts, as an SQNR
 * without noise is one thing and an SQNR that does not exist another; this becomes null. Maps become objects without prototype keys in the way;
 * invisible characters are escaped.
 */
export function reportJson(report: object): string {
  const text = JSON.stringify(report, (_key, value: unknown) => plain(value), 2);
  return `${text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? null : Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.assign(Object.create(null), Object.fromEntries(value));
  return value;
}
