import { plural } from '../format.js';
import type { QuantizeRepairReport } from '../repair-types.js';
import { confirmedSentence, gain } from '../repair-words.js';
import type { Markup } from './markup.js';
import { lead, section, table } from './parts.js';

/** What each step of the repair gave, and why it was not kept. */
export function repairSection(repair: QuantizeRepairReport | undefined): Markup | undefined {
  if (repair === undefined) return undefined;
  const { steps, fitted, heldOut, givenUp, confirmed } = repair;
  if (givenUp !== undefined)
    return section('repair', 'Repair', lead(`Given up, and nothing of it is kept: ${givenUp}.`));
  const samples = `Steps were made from ${plural(fitted, 'calibration sample')}; ${heldOut} others decided whether each was kept.`;
  return section(
    'repair',
    'Repair',
    lead(`${samples} Signal to noise is that of the outputs of the model, averaged.`),
    table(
      'Steps of the repair',
      [{ title: 'Step' }, { title: 'Signal to noise' }, { title: 'Kept' }, { title: 'What', kind: 'why' }],
      steps.map((step) => ({
        cells: [step.step, gain(step).trim() || 'not tried', step.kept ? 'yes' : 'no', step.what],
      })),
    ),
    confirmed === undefined ? undefined : lead(`${confirmedSentence(confirmed)}.`),
  );
}
