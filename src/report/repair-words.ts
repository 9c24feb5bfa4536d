import type { ConfirmedForm } from './confirmed-form.js';
import { plural } from './format.js';
import type { QuantizeRepairReport, RepairStepReport } from './repair-types.js';

/** `Repair: 2 of 3 steps kept, by the error on 16 held-out samples`, and a line for each; nothing where none applied. */
export function repairLines({ steps, heldOut, confirmed, givenUp }: QuantizeRepairReport): string[] {
  if (givenUp !== undefined) return [`Repair: given up, and nothing of it is kept: ${givenUp}`];
  const tried = steps.filter(({ sqnrAfterDb }) => sqnrAfterDb !== undefined);
  if (tried.length === 0) return [];
  const kept = tried.filter((step) => step.kept).length;
  return [
    `Repair: ${kept} of ${plural(tried.length, 'step')} kept, by the error on ${plural(heldOut, 'held-out sample')}`,
    ...tried.map((step) => `  ${step.kept ? '✓' : '–'} ${step.step}${gain(step)}: ${step.what}`),
    ...(confirmed?.kept === false ? [undoneSentence(confirmed)] : []),
  ];
}

function undoneSentence({ without, with: repaired }: NonNullable<QuantizeRepairReport['confirmed']>): string {
  const decibels = ({ sqnrDb }: ConfirmedForm): string =>
    sqnrDb ? `${(sqnrDb.reduce((sum, each) => sum + each, 0) / sqnrDb.length).toFixed(1)} dB` : 'no figure';
  return `  Undone: on ${plural(without.samples ?? 0, 'judging sample')} the outputs are no better with it on both halves (${decibels(without)} without, ${decibels(repaired)} with).`;
}

/** ` 31.2 → 33.0 dB`, where a step was tried. */
export function gain({ sqnrBeforeDb, sqnrAfterDb }: RepairStepReport): string {
  if (sqnrBeforeDb === undefined || sqnrAfterDb === undefined) return '';
  return ` ${sqnrBeforeDb.toFixed(1)} → ${sqnrAfterDb.toFixed(1)} dB`;
}
