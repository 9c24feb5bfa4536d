/** Sizes in bytes as people read and write them. Beyond 2^53 they are only near, and never wrap around. */

const SHOWN_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `97.8 MB`: decimal units, as disks and networks are sold. */
export function formatBytes(sizeBytes: number): string {
  let rest = Math.abs(sizeBytes);
  let unit = 0;
  // 999.5 would round up to 1000, which belongs to the next unit.
  while (rest >= 999.5 && unit < SHOWN_UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  // Three digits without dropping zeros: sizes in a column should look alike.
  const digits =
    unit === 0
      ? String(Math.round(rest))
      : rest >= 1e6
        ? rest.toPrecision(3)
        : rest.toFixed(rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0);
  return `${sizeBytes < 0 ? '−' : ''}${digits} ${SHOWN_UNITS[unit]}`;
}

/** Bytes of `500 kB`, `2MiB`, `1.5GB`, `1024`; undefined for what is no size. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)$/.exec(text.trim().toLowerCase()) ?? [];
  const factor = UNITS[unit];
  return digits === undefined || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}

/** At least `sizeBytes`, rounded up to two digits and written as an option takes it: `8.6GB`. */
export function roundedUpBytes(sizeBytes: number): string {
  const unit = sizeBytes >= 1e12 ? 'TB' : sizeBytes >= 1e9 ? 'GB' : 'MB';
  const scaled = sizeBytes / (UNITS[unit.toLowerCase()] ?? 1);
  return `${scaled < 10 && unit !== 'MB' ? Math.ceil(scaled * 10) / 10 : Math.ceil(scaled)}${unit}`;
}
