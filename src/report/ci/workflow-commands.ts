/**
 * GitHub Actions reads `::command::` at the start of a log line and `##[command]` anywhere in it. A model whose names
 * look so must not be able to set outputs or mask values. Applied to whole texts as they leave the program.
 */
export function withoutWorkflowCommands(text: string): string {
  return text.replaceAll('##[', '#\\x23[').replace(/^(\s*):(?=:)/gm, '$1\\x3a');
}

export type AnnotationLevel = 'error' | 'warning' | 'notice';

/** An annotation of our own, one line with its end. Source: GitHub Actions documentation, "Workflow commands". */
export function workflowAnnotation(level: AnnotationLevel, title: string, message: string): string {
  return `::${level} title=${escapeProperty(title)}::${escapeData(message)}\n`;
}

/** An error of our own, on the page of the run. */
export function workflowError(title: string, message: string): string {
  return workflowAnnotation('error', title, message);
}

function escapeData(text: string): string {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  return escaped.replaceAll('##[', '#\\x23[');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
