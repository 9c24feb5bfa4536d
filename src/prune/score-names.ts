/** How important a unit is: units of the smallest scores are cut first. `scoreUnits` says what each means. */
export const UNIT_SCORES = ['activation', 'obs', 'l2', 'l1', 'bn', 'fpgm', 'lamp', 'random'] as const;
/** One of `UNIT_SCORES`. */
export type UnitScore = (typeof UNIT_SCORES)[number];
