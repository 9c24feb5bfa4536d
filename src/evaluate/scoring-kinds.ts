/**
 * How an output is scored against labels: `accuracy` of an output that is the answer itself, `top-1` of scores of classes, `ctc` of
 * texts, `auc` of one score for no and yes, `multi-label` of scores of which any may hold, `error` of numbers, `perplexity` of the
 * token after each position.
 */
export const SCORING_KINDS = ['accuracy', 'top-1', 'ctc', 'auc', 'multi-label', 'error', 'perplexity'] as const;

export type ScoringKind = (typeof SCORING_KINDS)[number];
