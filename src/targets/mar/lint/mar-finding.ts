import type { FindingSeverity, PackageFinding } from '../../finding.js';

/**
 * What a check of an archive found, at one place inside of it. With an error, TorchServe refuses the archive or cannot run it; what has a
 * warning it takes and ignores.
 */
export interface MarFinding extends PackageFinding {
  readonly rule: `mar/${string}`;
}

/** A finding of a rule, by what is wrong. */
export type Reporter = (
  severity: FindingSeverity,
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
