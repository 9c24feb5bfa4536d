import { ServeOptError } from '../../errors.js';
import { CONVENTION_NAMES } from '../../evaluate/distill/conventions.js';
import type { DistillReport } from '../../report/distill-types.js';
import { suggest } from '../../suggest.js';
import { DISTILL_DEFAULTS, type DistillOptions } from './distill-options.js';
import type { ClassesOptions } from './evaluate-classes.js';

/** Options of the figures with their defaults. @throws SO1006 for numbers out of range and unknown conventions */
export function figureOptions(options: DistillOptions): ClassesOptions {
  const temperatures = distinct(options.temperatures ?? DISTILL_DEFAULTS.temperatures);
  const alphas = distinct(options.alphas ?? DISTILL_DEFAULTS.alphas);
  const conventions = distinct(options.conventions ?? DISTILL_DEFAULTS.conventions);
  const refused = (value: unknown, flag: string, why: string, hint?: string): ServeOptError =>
    new ServeOptError('SO1006', `The value "${value}" of --${flag} is not allowed`, {
      why,
      ...(hint === undefined ? {} : { hint }),
    });
  for (const each of temperatures)
    if (!(each > 0) || !Number.isFinite(each)) throw refused(each, 'temperature', 'it must be a number above 0');
  for (const each of alphas)
    if (!(each >= 0 && each <= 1)) throw refused(each, 'alpha', 'it must be a share from 0 to 1');
  for (const each of conventions) {
    if (CONVENTION_NAMES.includes(each)) continue;
    const near = suggest(each, CONVENTION_NAMES);
    const why = `it must be one of ${CONVENTION_NAMES.join(', ')}`;
    throw refused(each, 'convention', why, near && `did you mean "${near}"?`);
  }
  if (temperatures.length === 0) throw refused('', 'temperature', 'it needs at least one');
  return {
    temperatures,
    alphas,
    conventions: distinct(['standard', ...conventions]),
    topK: options.topK ?? DISTILL_DEFAULTS.topK,
    bins: options.bins ?? DISTILL_DEFAULTS.bins,
    resamples: options.resamples ?? DISTILL_DEFAULTS.resamples,
    seed: options.seed ?? DISTILL_DEFAULTS.seed,
    fitTemperature: true,
  };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** The settings as a report has them. */
export function settingsOf(options: ClassesOptions): DistillReport['settings'] {
  const { fitTemperature: _, ...settings } = options;
  return settings;
}
