/** Text as code in a table or a sentence: on one line, without what would end it. */
export function code(text: string): string {
  const line = oneLine(text).replaceAll('|', '\\|');
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``;
}

/** Text in a sentence or a cell of a table: on one line, without marks that Markdown has a meaning for. */
export function cell(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>#|]/g, '\\$&');
}

function oneLine(text: string): string {
  return text
    .slice(0, 300)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\ufffd')
    .replace(/`{2,}/g, '`');
}
