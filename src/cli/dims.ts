import { ServeOptError } from '../errors.js';
import { readWholeNumber, whyNotWholeNumber } from '../workflows/limits.js';

/** How a flag takes sizes of dimensions. */
export interface DimsFlag {
  readonly flag: string;
  /** Whether one name may have several sizes, with commas between them. */
  readonly several: boolean;
  /** What to write instead of what cannot be read. */
  readonly hint: string;
}

export const SET_DIM: DimsFlag = {
  flag: '--set-dim',
  several: false,
  hint: 'write --set-dim batch=1, or INPUT:AXIS=1 for one without a name',
};
export const ONE_DIM: DimsFlag = {
  flag: '--dim',
  several: false,
  hint: 'write --dim batch=1, or --dim INPUT:AXIS=1 for one without a name',
};
export const DIM: DimsFlag = { flag: '--dim', several: true, hint: 'write --dim batch=1,8 or --dim INPUT:AXIS=8' };

/**
 * Sizes by name of `batch=1,8`, `x:0=4`. The same one twice is one.
 * @throws SO1006 for what is no name with sizes from 1 on, SO1002 for one name with other sizes elsewhere
 */
export function parseDims(texts: readonly string[], { flag, several, hint }: DimsFlag): Map<string, readonly number[]> {
  const dims = new Map<string, readonly number[]>();
  for (const text of texts) {
    const notAllowed = (why: string): ServeOptError =>
      new ServeOptError('SO1006', `The value "${text}" of ${flag} is not allowed`, { why, hint });
    const [, name, list = ''] = /^(.+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined) throw notAllowed(`it must be the name of a dimension and ${several ? 'sizes' : 'a size'}`);
    const sizes = [...new Set(list.split(',').map(readWholeNumber))];
    for (const size of sizes) {
      const why = whyNotWholeNumber(size, { minimum: 1 });
      if (why !== undefined) throw notAllowed(why);
    }
    if (!several && sizes.length > 1) throw notAllowed('it must be one size');
    const known = dims.get(name);
    if (known !== undefined && known.join() !== sizes.join()) {
      throw new ServeOptError('SO1002', `${flag} ${name}=${known.join()} and ${flag} ${text} contradict each other`, {
        hint: several
          ? `write ${flag} ${name}=${[...new Set([...known, ...sizes])].join()} for all of them`
          : 'leave one of them out',
      });
    }
    dims.set(name, sizes);
  }
  return dims;
}
