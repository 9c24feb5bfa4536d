/**
 * Names as JavaScript strings without loss. protobuf demands UTF-8 for `string` fields but files exist that break it;
 * a byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte (PEP 383), and back. So two names
 * that differ in one bad byte stay two names.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const ESCAPE = 0xdc00;

/** Decodes bytes; never fails. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length < 24) {
    let text = '';
    let at = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === bytes.length) return text;
  }
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** Length in bytes of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  const length =
    lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
        ? 2
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead >= 0xf0 && lead < 0xf5
            ? 4
            : 0;
  if (length <= 1) return length;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

function decodeEscaped(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) parts.push(String.fromCharCode(ESCAPE + (bytes[at++] as number)));
    else {
      parts.push(strict.decode(bytes.subarray(at, at + length)));
      at += length;
    }
  }
  return parts.join('');
}

/** The bytes `decodeUtf8` would give this string for. */
export function encodeUtf8(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(text) || isWellFormed(text)) return encoder.encode(text);
  const parts: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) parts.push(code - ESCAPE);
    else parts.push(...encoder.encode(char));
  }
  return Uint8Array.from(parts);
}

/** True when the text holds no lone surrogate, so that it came from valid UTF-8. */
export function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}
