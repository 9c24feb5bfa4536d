/**
 * A report as JSON text: two spaces, a line feed at the end. Numbers that are not finite, which JSON lacks, become null;
 * Maps become objects without prototype keys in the way.
 */
export function reportJson(report: object): string {
  return `${JSON.stringify(report, (_key, value: unknown) => plain(value), 2)}\n`;
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.assign(Object.create(null), Object.fromEntries(value));
  return value;
}
