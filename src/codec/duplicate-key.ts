/**
 * The first key that an object of a JSON text has twice: `JSON.parse` keeps the last one and says nothing, and another reader
 * may keep the first. Undefined when there is none. The text must have been parsed before: it is taken for JSON.
 */
export function duplicateKey(bytes: Uint8Array): string | undefined {
  const decoder = new TextDecoder();
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x22) {
      const start = at++;
      while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
      last = decoder.decode(bytes.subarray(start, at + 1));
    } else if (byte === 0x3a) {
      const keys = open.at(-1);
      // Escapes may write one key in several ways.
      const key = last.includes('\\') ? (JSON.parse(last) as string) : last.slice(1, -1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else if (byte === 0x7b) open.push(new Set());
    else if (byte === 0x5b) open.push(undefined);
    else if (byte === 0x7d || byte === 0x5d) open.pop();
  }
  return undefined;
}
