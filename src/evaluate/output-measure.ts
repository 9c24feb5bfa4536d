import type { OutputDifference, OutputMeasure } from './comparison.js';
import type { OutputMeaning } from './output-meaning.js';

/** The measure that an output needs, by what labels, the graph and its values say of it. */
export function measureOf(
  { sequences, top1Agreement, sameDecisions, sqnrDb }: Partial<OutputDifference>,
  meaning: OutputMeaning | undefined,
): OutputMeasure {
  const because = meaning?.because ?? '';
  if (sequences?.blank !== undefined)
    return { kind: 'sequences', because: `${because}, and class ${sequences.blank} means "nothing"` };
  if (sequences) return { kind: 'sequences', because: `${because}, step by step` };
  if (top1Agreement && meaning?.exclusive) return { kind: 'classes', because };
  if (sameDecisions) return { kind: 'decisions', because };
  if (top1Agreement) return { kind: 'classes', because };
  if (sqnrDb === undefined) return { kind: 'answers', because: 'its elements are no floats' };
  return { kind: 'values', because: 'neither labels, nor the graph, nor its values say that it scores classes' };
}
