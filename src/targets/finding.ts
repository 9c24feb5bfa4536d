/** How bad a finding is: with an `error` the server refuses the package; a `warning` has no effect there, or does harm; a `note` informs. */
export type FindingSeverity = 'error' | 'warning' | 'note';

/** What a check of a package found, at one place. */
export interface PackageFinding {
  readonly severity: FindingSeverity;
  /** Stable name of the rule, `triton/dims`. */
  readonly rule: string;
  /** File or folder, relative to what was checked, with slashes; empty for that itself. */
  readonly path: string;
  /** From 1; absent where the finding is not in a text. */
  readonly line?: number;
  readonly column?: number;
  /** What is wrong, a sentence without a period. */
  readonly what: string;
  /** Why that matters, or the rule of the server. */
  readonly why: string;
  /** What to do. */
  readonly fix: string;
}
