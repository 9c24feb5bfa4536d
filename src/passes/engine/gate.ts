/** Which changes may be made: what finding a wrong one by bisection, and leaving it out afterwards, needs. */
export interface RewriteGate {
  /** Stop after this many changes. */
  readonly limit?: number;
  /** True for a change that must not be made. `label` is the label of its first node. */
  readonly isForbidden?: (pass: string, label: string) => boolean;
}
