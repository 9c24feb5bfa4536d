/** Data that a Python literal can carry. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/**
 * A value as Python source on one line. Texts come from models, so everything but printable ASCII is escaped: no name ends
 * a literal or a line. Characters outside of the basic plane take eight digits, as Python has no surrogate pairs.
 */
export function pythonLiteral(value: PythonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return pythonNumber(value);
  if (typeof value === 'string') return pythonText(value);
  if (isList(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${pythonText(key)}: ${pythonLiteral(item)}`)
    .join(', ')}}`;
}

function isList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) return `float("${String(value).toLowerCase()}")`;
  return String(value);
}

function pythonText(text: string): string {
  let escaped = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === '\\') escaped += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) escaped += character;
    else if (code > 0xffff) escaped += `\\U${code.toString(16).padStart(8, '0')}`;
    else escaped += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `"${escaped}"`;
}

/** A list of rows as Python source, one row a line; `[]` where it is empty. */
export function pythonRows(rows: readonly PythonValue[]): string {
  if (rows.length === 0) return '[]';
  return `[\n${rows.map((row) => `    ${pythonLiteral(row)},\n`).join('')}]`;
}
