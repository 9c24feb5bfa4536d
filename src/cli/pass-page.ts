import { readFile } from 'node:fs/promises';

/** What the page of a pass in `docs/passes` says between its summary and its table of facts: equation and conditions. */
export async function passDescription(name: string): Promise<string | undefined> {
  let page: string;
  try {
    page = await readFile(new URL(`../../docs/passes/${name}.md`, import.meta.url), 'utf8');
  } catch {
    // A package may be installed without its documents.
    return undefined;
  }
  const [, body] = /<!--[^>]*-->\n([\s\S]*?)\n- Numerics: \w+: /.exec(page) ?? [];
  // The first paragraph is the summary.
  return body?.trim().split('\n\n').slice(1).join('\n\n').trim();
}
