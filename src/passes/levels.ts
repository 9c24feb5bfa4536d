/** The words of `optimize`, apart from its passes: help and flags know them without loading a pass. */

/** Which operators a result may use. */
export const ALLOWED_OPERATORS = ['portable', 'ort'] as const;
/** `portable` keeps to the standard operators of ONNX, `ort` may also use those of ONNX Runtime (`com.microsoft`). */
export type AllowedOperators = (typeof ALLOWED_OPERATORS)[number];

/** How far `optimize` goes: each level does what the ones before it do. */
export const OPTIMIZE_LEVELS = ['basic', 'standard', 'max'] as const;
/**
 * `basic` only removes what changes nothing and computes what is constant (whose floats may round otherwise in the last
 * place), `standard` adds what changes outputs by rounding and is known to pay, `max` what makes the graph larger for a
 * while or pays on some machines only.
 */
export type OptimizeLevel = (typeof OPTIMIZE_LEVELS)[number];

/**
 * The order of work. What a stage merges is not taken apart again, so large patterns come before the small ones that
 * are parts of them. `clean` passes take part in every later stage too.
 */
export const OPTIMIZE_STAGES = ['prepare', 'clean', 'patterns', 'merge', 'finish'] as const;
/** One of `OPTIMIZE_STAGES`. */
export type OptimizeStage = (typeof OPTIMIZE_STAGES)[number];
