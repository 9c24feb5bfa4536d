import type { SampleSource } from './types.js';

/** A path stands for all samples of the file or folder there. */
export function sampleSource(samples: string | SampleSource): SampleSource {
  return typeof samples === 'string' ? { kind: 'data', path: samples } : samples;
}
