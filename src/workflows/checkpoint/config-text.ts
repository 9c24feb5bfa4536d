/**
 * `config.json` with a `quantization_config` at its end. The rest of the text stays as it is: writing it anew would turn `10000.0` into
 * `10000`, which strict readers take for another type.
 * @param text a JSON object
 */
export function withQuantization(text: string, quantization: Readonly<Record<string, unknown>>): string {
  const end = text.lastIndexOf('}');
  const before = text.slice(0, end).trimEnd();
  const value = JSON.stringify(quantization, undefined, 2).replaceAll('\n', '\n  ');
  return `${before}${before.endsWith('{') ? '' : ','}\n  "quantization_config": ${value}\n}\n`;
}
