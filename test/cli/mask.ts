/** Takes out of a text what differs from run to run: times, sizes measured, versions and paths. */
export function maskText(text: string): string {
  return text
    .replace(/\b\d+(\.\d+)? (ms|s|min|h)\b/g, '<time>')
    .replace(/\b\d+(\.\d+)? (kB|MB|GB|TB)\b/g, '<size>')
    .replace(/"version": "[^"]*"/g, '"version": "<version>"')
    .replace(/^\d+\.\d+\.\d+$/gm, '<version>')
    .replace(/\/[^\s"']*serve-opt-golden-[A-Za-z0-9]+/g, '<folder>');
}
