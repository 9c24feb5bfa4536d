/** Exit codes of the command line (DESIGN: "Command line"). Frozen: scripts depend on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  input: 3,
  gate: 4,
  inconclusive: 5,
  capability: 6,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
