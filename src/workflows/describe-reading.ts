import { basename } from 'node:path';
import type { ReadingReport } from '../report/reading-types.js';
import type { DataReading } from '../samples/data-reading.js';
import { describePlan } from '../samples/images/describe-plan.js';
import { imagePlan, PREPROCESS_FLAG } from '../samples/images/image-plan.js';
import { DECODER_CONFIG, isPast } from '../samples/tokens/decoder-config.js';
import type { ValueSpec } from '../samples/types.js';

/** What a report says of how data was read: the fields, and the same as a sentence. Nothing where arrays were fed as they are. */
export function describeReading(
  reading: DataReading | undefined,
  inputs: readonly ValueSpec[],
): { readonly fields: { readonly reading?: ReadingReport }; readonly notes: readonly string[] } {
  if (!reading) return { fields: {}, notes: [] };
  const { preprocess, tokenizerPath, maxLength, labelsPath, decoder } = reading;
  const plan = preprocess && imagePlan(inputs, preprocess, PREPROCESS_FLAG);
  const words: string[] = [];
  if (plan) words.push(describePlan(plan));
  if (tokenizerPath !== undefined) {
    const cut = maxLength === undefined ? '' : `, cut after ${maxLength} tokens`;
    words.push(`texts are tokenized by ${basename(tokenizerPath)}${cut}`);
  }
  if (labelsPath !== undefined) words.push(`labels are those of ${basename(labelsPath)}`);
  if (decoder && inputs.some((input) => isPast(input, decoder)))
    words.push(`inputs of the decoder are those of ${DECODER_CONFIG}`);
  const summary = words.join('; ');
  const problem = decoder?.problem;
  const problems = problem === undefined ? [] : [`${DECODER_CONFIG} beside the model is not used: ${problem}.`];
  if (words.length === 0) return { fields: {}, notes: problems };
  const fields = {
    summary,
    ...(plan ? { preprocess: plan } : {}),
    ...(tokenizerPath === undefined ? {} : { tokenizer: basename(tokenizerPath) }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(labelsPath === undefined ? {} : { labels: basename(labelsPath) }),
  };
  return { fields: { reading: fields }, notes: [`Data: ${summary}.`, ...problems] };
}
