import type { ExternalFiles } from '../../codec/external-data.js';
import type { WireReader } from '../../codec/wire-reader.js';
import type { Model } from '../model.js';

/** What travels through the reading of one model. */
export interface ReadContext {
  readonly reader: WireReader;
  readonly model: Model;
  /** Undefined for a model without a folder (read from memory). */
  readonly files: ExternalFiles | undefined;
  /** Names that parts kept as bytes mention; their values are pinned at the end. */
  readonly pinned: Set<string>;
  /** Nodes read so far, over all graphs. */
  nodeCount: number;
}

/** No more nodes than this are read: above it a file is a bomb, not a model. */
export const MAX_NODES = 1_000_000;
/** Subgraphs inside subgraphs. */
export const MAX_GRAPH_DEPTH = 100;
