/** How bad a finding is: TorchServe refuses the archive or cannot run it; takes and ignores something; or it only informs. */
export type MarSeverity = 'error' | 'warning' | 'note';

/** What a check of an archive found, at one place. */
export interface MarFinding {
  readonly severity: MarSeverity;
  readonly rule: `mar/${string}`;
  /** Inside of the archive; empty for the archive itself. */
  readonly path: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** A finding of a rule, by what is wrong. */
export type Reporter = (
  severity: MarSeverity,
  rule: string,
  path: string,
  found: Pick<MarFinding, 'what' | 'why' | 'fix'> & { readonly line?: number; readonly column?: number },
) => void;

/** Collects findings. */
export function reporter(findings: MarFinding[]): Reporter {
  return (severity, rule, path, found) => {
    findings.push({ severity, rule: `mar/${rule}`, path, ...found });
  };
}

/** Line and column of a character, from 1. */
export function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, Math.max(0, index));
  const line = before.split('\n').length;
  return { line, column: index - (before.lastIndexOf('\n') + 1) + 1 };
}
