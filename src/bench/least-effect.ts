/** A difference of latency below this share is none: what a machine shows between two runs of one model. */
export const LEAST_EFFECT = 0.03;
