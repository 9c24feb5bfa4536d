/** What links to a configuration name: its place, never its label, which a stranger may have chosen. */
export function configurationId(index: number): string {
  return `configuration-${index + 1}`;
}
