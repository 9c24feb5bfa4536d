/** Ways to give query, key and value to a fused attention operator. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { sameDim } from '../../types.js';
import type { AttentionCore } from './attention-core.js';
import { type HeadsFirst, headsFirst } from './attention-heads.js';
import {
  cachedInput,
  featuresInput,
  headsInput,
  mergedHeads,
  type OperandInput,
  rotaryInput,
  splitInputs,
} from './attention-inputs.js';
import type { AttentionSite } from './attention-site.js';

export interface AttentionForm {
  readonly query: OperandInput;
  readonly key: OperandInput;
  readonly value: OperandInput;
  /** Scale of the key where it is not that of its input. */
  readonly keyFactor: number;
  /** What is prepended to key and value, and the nodes that do so now. */
  readonly past: readonly Value[];
  readonly concats: readonly Node[];
}

/** The operands of a site as heads in the second axis, where they are that. */
export interface SiteHeads {
  readonly query: HeadsFirst | undefined;
  readonly key: HeadsFirst | undefined;
  readonly value: HeadsFirst | undefined;
}

/** `grouped` leaves out repetitions of heads. */
export function headsOfSite({ core }: AttentionSite, grouped: boolean, context: RewriteContext): SiteHeads {
  return {
    query: headsFirst(core.query, 'query', false, context),
    key: headsFirst(core.key, core.keyAxes, grouped, context),
    value: headsFirst(core.value, 'value', grouped, context),
  };
}

/** The query as [batch, sequence, features], put back into that where it must be. */
export function featuresQuery(
  site: AttentionSite,
  heads: SiteHeads,
  context: RewriteContext,
): OperandInput | undefined {
  const asHeads = headsInput(heads.query);
  return featuresInput(site.queries, false) ?? rotaryInput(heads.query, context) ?? (asHeads && mergedHeads(asHeads));
}

export function featuresKey(
  site: AttentionSite,
  heads: SiteHeads,
  grouped: boolean,
  context: RewriteContext,
): OperandInput | undefined {
  return featuresInput(site.keys, grouped) ?? rotaryInput(heads.key, context);
}

export function plainForm(
  query: OperandInput | undefined,
  key: OperandInput | undefined,
  value: OperandInput | undefined,
): AttentionForm[] {
  return query && key && value ? [{ query, key, value, keyFactor: key.factor, past: [], concats: [] }] : [];
}

/** Query, key and value cut out of one tensor. */
export function splitForm(site: AttentionSite, grouped: boolean, context: RewriteContext): AttentionForm[] {
  const [query, key, value] = splitInputs([site.queries, site.keys, site.values], grouped, context) ?? [];
  return query?.repeats === 1 ? plainForm(query, key, value) : [];
}

/** Key and value of earlier steps apart from new ones in this form. */
export function cachedForm(
  query: OperandInput | undefined,
  heads: SiteHeads,
  form: OperandInput['form'],
  context: RewriteContext,
): AttentionForm[] {
  const key = cachedInput(heads.key, form, context);
  const value = cachedInput(heads.value, form, context);
  if (!query || !key || !value || !heads.key || heads.value?.factor !== 1) return [];
  return [
    {
      query,
      key: key.added,
      value: value.added,
      keyFactor: heads.key.factor,
      past: [key.past, value.past],
      concats: [key.concat, value.concat],
    },
  ];
}

/** Why these do not make one attention, or undefined. */
export function whyNotFitting(
  core: AttentionCore,
  { query, key, value, keyFactor }: AttentionForm,
): string | undefined {
  if (query.heads !== key.heads * key.repeats || key.heads !== value.heads || key.repeats !== value.repeats)
    return 'query, key and value have different numbers of heads';
  if (query.size !== key.size) return 'heads of query and key have different sizes';
  if (!sameDim(query.batch, key.batch) || !sameDim(key.batch, value.batch))
    return 'query, key and value may have different batch sizes';
  if (value.factor !== 1) return 'its value is scaled';
  const scale = core.scale * query.factor * keyFactor;
  return Number.isFinite(scale) && scale !== 0 ? undefined : `its scale is ${scale}`;
}
