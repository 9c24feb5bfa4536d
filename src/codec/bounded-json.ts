/** What a document of JSON from a stranger may hold; beyond, it is refused before it is parsed. */
export interface JsonLimits {
  /** Nested lists and objects. */
  readonly depth: number;
  /** Lists and objects: each costs some 50 bytes of memory, though just two of text. */
  readonly containers: number;
  /** Keys of all objects. */
  readonly keys: number;
  /** Numbers, texts and other values in lists. */
  readonly values: number;
}

/** Enough for the tensors that JSON is fit for: 16 million numbers, a million rows. */
export const JSON_LIMITS: JsonLimits = { depth: 100, containers: 1_000_000, keys: 250_000, values: 16_000_000 };

/** Why a document was not parsed: one clause. */
export class JsonRefusal extends Error {
  override readonly name = 'JsonRefusal';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * UTF-8 bytes as JSON. One look over the bytes counts what is in them first, so that a small document cannot take the
 * memory: parsing gives at most some 30 bytes of memory for a byte of text within the limits.
 * @throws JsonRefusal for what is not JSON, not UTF-8, or beyond the limits
 */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): unknown {
  checkLimits(bytes, limits);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new JsonRefusal('it is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonRefusal(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Counts lists, objects, keys and depth; texts are skipped. Nothing is checked but what the limits are about. */
function checkLimits(bytes: Uint8Array, limits: JsonLimits): void {
  let depth = 0;
  let containers = 0;
  let keys = 0;
  let values = 0;
  const end = bytes.length;
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at++;
      while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    } else if (byte === COMMA) {
      if (++values > limits.values) throw new JsonRefusal(`it has more than ${limits.values} values`);
    } else if (byte === COLON) {
      if (++keys > limits.keys) throw new JsonRefusal(`it has more than ${limits.keys} keys`);
    } else if ((byte | 0x20) === 0x7b) {
      // [ and {
      if (++depth > limits.depth) throw new JsonRefusal(`it is nested more than ${limits.depth} deep`);
      if (++containers > limits.containers) {
        throw new JsonRefusal(`it has more than ${limits.containers} lists and objects`);
      }
    } else if ((byte | 0x20) === 0x7d) depth--;
  }
}
