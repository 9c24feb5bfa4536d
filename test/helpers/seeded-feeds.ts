/** What a model of any kind is fed: synthetic samples, as commands make them. */
import type { Model } from '../../src/ir/model.js';
import { HOST_TYPES } from '../../src/runtime/interface-screen.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { Feeds } from '../../src/samples/types.js';
import { inputSpecs } from '../../src/samples/value-specs.js';
import type { FeedData, FeedTensor } from './random-feeds.js';

export function seededFeeds(model: Model): Map<string, FeedTensor> {
  const feeds = seededReader(1, 1, inputSpecs(model)).read(0, 1) as Feeds;
  return new Map(
    [...feeds].map(([name, { dataType, dims, data }]) => {
      const type = [...HOST_TYPES].find(([, code]) => code === dataType)?.[0];
      if (type === undefined || !ArrayBuffer.isView(data)) throw new Error(`${name} cannot be fed`);
      return [name, { type, dims, data: data as FeedData }];
    }),
  );
}
