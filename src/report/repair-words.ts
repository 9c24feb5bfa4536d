import { formatSqnr } from './comparison-words.js';
import type { ConfirmedForm } from './confirmed-form.js';
import { plural } from './format.js';
import type { LayerErrorReport, QuantizeRepairReport, RepairStepReport } from './repair-types.js';

/** `Repair: 2 of 3 steps kept, by the error on 16 held-out samples`, and a line for each; nothing where none applied. */
export function repairLines({ steps, heldOut, confirmed, givenUp }: QuantizeRepairReport): string[] {
  if (givenUp !== undefined) return [`Repair: given up, and nothing of it is kept: ${givenUp}`];
  const tried = steps.filter(({ sqnrAfterDb }) => sqnrAfterDb !== undefined);
  if (tried.length === 0) return [];
  const kept = tried.filter((step) => step.kept).length;
  return [
    `Repair: ${kept} of ${plural(tried.length, 'step')} kept, by the error on ${plural(heldOut, 'held-out sample')}`,
    ...tried.map((step) => `  ${step.kept ? '✓' : '–'} ${step.step}${gain(step)}: ${step.what}`),
    ...(confirmed?.kept === false ? [`  ${confirmedSentence(confirmed)}.`] : []),
  ];
}

type Confirmed = NonNullable<QuantizeRepairReport['confirmed']>;

/** `Kept: on 112 judging samples the outputs have 31.2 dB without and 33.0 dB with it`; undone where they are not better on both halves. */
export function confirmedSentence({ without, with: repaired, kept }: Confirmed): string {
  const decibels = ({ sqnrDb }: ConfirmedForm): string =>
    sqnrDb ? `${(sqnrDb.reduce((sum, each) => sum + each, 0) / sqnrDb.length).toFixed(1)} dB` : 'no figure';
  const on = `on ${plural(without.samples ?? 0, 'judging sample')}`;
  const figures = `${decibels(without)} without, ${decibels(repaired)} with`;
  return kept
    ? `Kept as a whole: ${on} the outputs are better with it on both halves (${figures})`
    : `Undone: ${on} the outputs are no better with it on both halves (${figures})`;
}

/** ` 31.2 → 33.0 dB`, where a step was tried. */
export function gain({ sqnrBeforeDb, sqnrAfterDb }: RepairStepReport): string {
  if (sqnrBeforeDb === undefined || sqnrAfterDb === undefined) return '';
  return ` ${sqnrBeforeDb.toFixed(1)} → ${sqnrAfterDb.toFixed(1)} dB`;
}

/** What the figures of layers mean: on which samples, with what in INT8, and whether the repair is part of the result. */
export function layerErrorsSentence({ layers = [], confirmed }: QuantizeRepairReport): string {
  const isRepaired = layers.some(({ sqnrAfterDb }) => sqnrAfterDb !== undefined);
  const end = isRepaired
    ? confirmed?.kept === false
      ? ' The repair was undone: the result has the errors before it.'
      : ''
    : ' No step was kept.';
  return `Held against FP32 on held-out calibration samples, with every layer that can be in INT8: errors of the layers before it are included.${end}`;
}

/** Signal to noise before and after the repair; empty where a layer has no such figure. */
export function layerErrorCells({ sqnrBeforeDb, sqnrAfterDb }: LayerErrorReport): [string, string] {
  return [
    sqnrBeforeDb === undefined ? '' : formatSqnr(sqnrBeforeDb),
    sqnrAfterDb === undefined ? '' : formatSqnr(sqnrAfterDb),
  ];
}

/** Layers by what their outputs keep in the end, the worst first. */
export function worstLayers(layers: readonly LayerErrorReport[]): LayerErrorReport[] {
  const kept = ({ sqnrBeforeDb, sqnrAfterDb }: LayerErrorReport): number =>
    sqnrAfterDb ?? sqnrBeforeDb ?? Number.MAX_VALUE;
  return [...layers].sort((a, b) => Math.min(kept(a), Number.MAX_VALUE) - Math.min(kept(b), Number.MAX_VALUE));
}
