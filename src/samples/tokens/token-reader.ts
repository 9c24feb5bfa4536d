import { DataType } from '../../tensor/dtype.js';
import type { DatasetReader } from '../dataset/dataset-reader.js';
import { NO_LABEL } from '../dataset/labels.js';
import type { Feeds, HostTensor, ValueSpec } from '../types.js';
import { checkTokens, shownTokens, withDerivedInputs } from './derived-inputs.js';
import type { TokenInputs } from './token-roles.js';

/**
 * Samples of token numbers for a text model: inputs that the data lacks follow from them, and where a decoder has no labels, the token
 * after each position is the label.
 * @param given samples with the token numbers, and what else the data has
 * @throws SO4010 for a token number beyond the vocabulary
 */
export async function tokenReader(
  given: DatasetReader,
  inputs: readonly ValueSpec[],
  tokens: TokenInputs,
): Promise<DatasetReader> {
  const labels = given.labels ?? (tokens.isDecoder ? await nextTokens(given, tokens) : undefined);
  return {
    ...given,
    labels,
    async read(start, count) {
      const feeds = await given.read(start, count);
      checkTokens(tokens, feeds.get(tokens.ids.name) as HostTensor, start);
      return withDerivedInputs(feeds, inputs, tokens);
    },
  };
}

/** Labels [samples, longest]: the token after each position; -1 where there is none, or the mask hides it or the position. */
async function nextTokens(given: DatasetReader, tokens: TokenInputs): Promise<HostTensor> {
  const rows: Int32Array[] = [];
  for (let at = 0; at < given.count; at++) {
    const feeds: Feeds = await given.read(at, 1);
    const ids = feeds.get(tokens.ids.name) as HostTensor;
    const [count = 1, length = 0] = ids.dims;
    const shown = shownTokens(feeds, tokens, count, length);
    // A fixed batch gives more rows than were asked for.
    rows.push(
      Int32Array.from({ length }, (_, t) =>
        t + 1 < length && (!shown || (shown[t] === 1 && shown[t + 1] === 1)) ? Number(ids.data[t + 1]) : NO_LABEL,
      ),
    );
  }
  const width = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const data = new Int32Array(rows.length * width).fill(NO_LABEL);
  for (const [at, row] of rows.entries()) data.set(row, at * width);
  return { dataType: DataType.INT32, dims: [rows.length, width], data, nextTokens: true };
}
