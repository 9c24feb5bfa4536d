/** How much work a repair may take. */
export const REPAIR_EFFORTS = ['low', 'medium', 'high'] as const;
/** One of `REPAIR_EFFORTS`. */
export type RepairEffort = (typeof REPAIR_EFFORTS)[number];
