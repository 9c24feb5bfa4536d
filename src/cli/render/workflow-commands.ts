/**
 * GitHub Actions reads `::command::` at the start of a log line and `##[command]` anywhere in it. A model whose names
 * look so must not be able to set outputs or mask values. Applied to whole texts as they leave the program.
 */
export function withoutWorkflowCommands(text: string): string {
  return text.replaceAll('##[', '#\\x23[').replace(/^(\s*):(?=:)/gm, '$1\\x3a');
}

/** An annotation of our own. Source: GitHub Actions documentation, "Workflow commands". */
export function workflowError(title: string, message: string): string {
  return `::error title=${escapeProperty(title)}::${escapeData(message)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
