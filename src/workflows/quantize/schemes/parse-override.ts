/** Overrides of schemes as users write them. */
import { ServeOptError } from '../../../errors.js';
import {
  ACTIVATION_TYPES,
  type ActivationChoice,
  type SchemeOverride,
  WEIGHT_GRANULARITIES,
  WEIGHT_TYPES,
  type WeightChoice,
} from '../../../quantize/scheme-choices.js';
import { suggest } from '../../../suggest.js';

const EXAMPLE = "for example --override 'conv1.*:activations=u16'";
const WEIGHT_WORDS = [...WEIGHT_TYPES, ...WEIGHT_GRANULARITIES, 'reduce-range', 'symmetric', 'float'] as const;
const ACTIVATION_WORDS = [...ACTIVATION_TYPES, 'symmetric', 'float'] as const;
/** Words that say what they are about. */
const BARE_WORDS = ['float', ...WEIGHT_GRANULARITIES, 'reduce-range'] as const;
const KEYS = ['activations', 'weights'] as const;

/**
 * One override: `PATTERN:choice[,choice…]` with `activations=u8|s8|u16|s16|symmetric`, `weights=s8|u8|per-tensor|per-channel|reduce-range`, or
 * `float`. A choice of weights that is no type may stand alone. The last colon ends the pattern.
 * @throws SO1006 for what it is not, with the nearest word
 */
export function parseOverride(text: string): SchemeOverride {
  const colon = text.lastIndexOf(':');
  const match = text.slice(0, Math.max(0, colon));
  if (match === '') throw badOverride(text, 'it has no pattern before a colon', EXAMPLE);
  let override: SchemeOverride = { match };
  for (const part of text.slice(colon + 1).split(',')) {
    const equals = part.indexOf('=');
    const word = part.slice(equals + 1).trim();
    const key = equals < 0 ? wordOf(word, BARE_WORDS, text) : wordOf(part.slice(0, equals).trim(), KEYS, text);
    if (key === 'float' || word === 'float') override = { ...override, float: true };
    else if (key === 'activations')
      override = { ...override, activations: { ...override.activations, ...activationChoice(word, text) } };
    else override = { ...override, weights: { ...override.weights, ...weightChoice(word, text) } };
  }
  return override;
}

function activationChoice(text: string, whole: string): ActivationChoice {
  const word = wordOf(text, ACTIVATION_WORDS, whole);
  const type = ACTIVATION_TYPES.find((each) => each === word);
  return type === undefined ? { symmetric: true } : { type };
}

function weightChoice(text: string, whole: string): WeightChoice {
  const word = wordOf(text, WEIGHT_WORDS, whole);
  const type = WEIGHT_TYPES.find((each) => each === word);
  const granularity = WEIGHT_GRANULARITIES.find((each) => each === word);
  if (type) return { type };
  if (granularity) return { granularity };
  return word === 'reduce-range' ? { reduceRange: true } : { symmetric: true };
}

function wordOf<W extends string>(word: string, words: readonly W[], whole: string): W {
  const found = words.find((each) => each === word);
  if (found !== undefined) return found;
  const near = suggest(word, words);
  const hint = near === undefined ? EXAMPLE : `did you mean "${near}"?`;
  throw badOverride(whole, `"${word}" is none of ${words.join(', ')}`, hint);
}

function badOverride(text: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text}" of --override is not allowed`, { why, hint });
}
