/** How libraries scale the loss of distillation: the same logits give figures that are factors apart. */

/** Names of `CONVENTIONS`. */
export const CONVENTION_NAMES = [
  'standard',
  'torchdistill',
  'textbrewer',
  'deit',
  'sparseml',
  'sparseml-factory',
  'haitongli',
  'mmdet-ld',
] as const;
/** One of `CONVENTION_NAMES`. */
export type Convention = (typeof CONVENTION_NAMES)[number];

/** What a convention is computed from. */
export interface LossTerms {
  /** Weight of the convention, whichever term it is of. */
  readonly alpha: number;
  readonly temperature: number;
  /** Mean over rows of the cross-entropy of labels at temperature 1; absent without labels. */
  readonly crossEntropy?: number;
  /** Mean over rows of KL(teacher ‖ student) at the temperature. */
  readonly kl: number;
  /** Mean over rows of the entropy of the teacher at the temperature. */
  readonly teacherEntropy: number;
  readonly classes: number;
  /** Rows of a sample: 1, or the mean number of tokens that count. */
  readonly rowsPerSample: number;
}

export interface ConventionRow {
  /** The term of the teacher, unweighted. */
  readonly soft: (terms: LossTerms) => number;
  /** What alpha weighs: the loss of labels, or that of the teacher. */
  readonly alphaOf: 'labels' | 'teacher';
  /** How the soft term is scaled, a clause. */
  readonly summary: string;
}

const heat = ({ temperature, kl }: LossTerms): number => temperature ** 2 * kl;

/** Each convention; `standard` is alpha · CE + (1 - alpha) · T² · KL, means over rows. */
export const CONVENTIONS: Readonly<Record<Convention, ConventionRow>> = {
  standard: {
    soft: heat,
    alphaOf: 'labels',
    summary: 'T² · KL, mean over rows',
  },
  torchdistill: {
    // Of sequences, batchmean divides by samples and not by tokens. The factor T² is part of the mixed loss only.
    soft: (terms) => (isMixed(terms) ? heat(terms) : terms.kl) * terms.rowsPerSample,
    alphaOf: 'labels',
    summary: 'batchmean; T² only beside a loss of labels',
  },
  textbrewer: {
    soft: ({ kl, teacherEntropy }) => kl + teacherEntropy,
    alphaOf: 'labels',
    summary: 'soft cross-entropy (KL + entropy of the teacher), no T²',
  },
  deit: {
    soft: (terms) => heat(terms) / terms.classes,
    alphaOf: 'teacher',
    summary: 'T² · KL divided by classes too',
  },
  sparseml: {
    soft: heat,
    alphaOf: 'teacher',
    summary: 'T² · KL, mean over rows; alpha is its hardness',
  },
  'sparseml-factory': {
    soft: ({ kl }) => kl,
    alphaOf: 'teacher',
    summary: 'KL without T²',
  },
  haitongli: {
    soft: (terms) => heat(terms) / terms.classes,
    alphaOf: 'teacher',
    summary: 'T² · KL divided by classes too',
  },
  'mmdet-ld': {
    soft: (terms) => heat(terms) / terms.classes,
    alphaOf: 'teacher',
    summary: 'T² · mean over classes of KL terms',
  },
};

/** torchdistill leaves the labels out where alpha is 0. */
function isMixed({ alpha, crossEntropy }: LossTerms): boolean {
  return alpha !== 0 && crossEntropy !== undefined;
}

/** A loss as a convention has it. */
export interface ConventionLoss {
  readonly convention: Convention;
  readonly alpha: number;
  readonly temperature: number;
  readonly soft: number;
  /** Absent without labels, where the loss is the soft term alone. */
  readonly hard?: number;
  readonly total: number;
  /** The soft term divided by that of `standard`; NaN where that is 0. */
  readonly softFactor: number;
}

/** The loss by a convention. Without labels it is the soft term, whatever alpha is. */
export function conventionLoss(convention: Convention, terms: LossTerms): ConventionLoss {
  const { alpha, temperature, crossEntropy } = terms;
  const { soft: softOf, alphaOf } = CONVENTIONS[convention];
  const soft = softOf(terms);
  const weight = alphaOf === 'labels' ? alpha : 1 - alpha;
  const base = { convention, alpha, temperature, soft, softFactor: soft / CONVENTIONS.standard.soft(terms) };
  if (crossEntropy === undefined) return { ...base, total: soft };
  const part = (share: number, term: number): number => (share === 0 ? 0 : share * term);
  return { ...base, hard: crossEntropy, total: part(weight, crossEntropy) + part(1 - weight, soft) };
}

/** What losses are computed for. */
export interface LossGrid {
  readonly conventions: readonly Convention[];
  readonly temperatures: readonly number[];
  readonly alphas: readonly number[];
}

/**
 * Losses by each convention, temperature and alpha.
 * @param heats terms of the teacher at temperatures, those of the grid among them
 */
export function conventionLosses(
  { conventions, temperatures, alphas }: LossGrid,
  heats: readonly Pick<LossTerms, 'temperature' | 'kl' | 'teacherEntropy'>[],
  rest: Pick<LossTerms, 'classes' | 'rowsPerSample' | 'crossEntropy'>,
): ConventionLoss[] {
  const wanted = heats.filter(({ temperature }) => temperatures.includes(temperature));
  return conventions.flatMap((convention) =>
    wanted.flatMap(({ temperature, kl, teacherEntropy }) =>
      alphas.map((alpha) => conventionLoss(convention, { alpha, temperature, kl, teacherEntropy, ...rest })),
    ),
  );
}
