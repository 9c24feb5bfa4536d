import { plural } from './format.js';
import type { SensitivityReport } from './sensitivity-types.js';

/** What is ranked, in each mode. */
const QUANTIZED_AS = { static: 'static INT8', dynamic: 'dynamic INT8', fp16: 'FP16' } as const;

/** How the ranking was measured, one sentence without a full stop. */
export function rankingPhrase({ mode, trials, layers }: SensitivityReport): string {
  const { source, samples, heldOut = false, models, passes } = trials;
  const grouped = layers.filter(({ together }) => together > 1).length;
  const cost = `${plural(models, 'trial')} on ${plural(samples, heldOut ? 'held-out sample' : 'sample')} of ${source}, ${passes.toFixed(1)} passes in all; probabilities are compared by their logarithms`;
  const alone = `${QUANTIZED_AS[mode]} of one layer at a time, ${cost}`;
  return grouped === 0
    ? alone
    : `${alone}; ${plural(grouped, 'layer')} were measured in groups only, and show an equal share of what their group loses`;
}

/** How many of the most sensitive layers cause half of the noise: `3 of 20 layers`. Undefined where nothing is lost. */
export function halfOfNoise({ layers }: SensitivityReport): string | undefined {
  const noises = layers.map(({ sqnrDb }) => 10 ** (-sqnrDb / 10)).filter(Number.isFinite);
  const total = noises.reduce((sum, noise) => sum + noise, 0);
  if (!(total > 0)) return undefined;
  let [sum, count] = [0, 0];
  for (const noise of noises) {
    sum += noise;
    count++;
    if (sum >= total / 2) break;
  }
  return `${count} of ${plural(layers.length, 'layer')}`;
}
