import * as eliminate from './eliminate/index.js';
import type { ReadyRewrite } from './engine/rewrite.js';
import * as fold from './fold/index.js';
import * as activation from './fuse/activation/index.js';
import * as attention from './fuse/attention/index.js';
import * as convolution from './fuse/convolution/index.js';
import * as elementwise from './fuse/elementwise/index.js';
import * as matmul from './fuse/matmul/index.js';
import * as normalization from './fuse/normalization/index.js';
import * as pool from './fuse/pool/index.js';
import * as views from './fuse/views/index.js';
import type { OptionRow, PassDefinition, PassGroup } from './pass.js';
import * as quantize from './quantize/index.js';
import * as rewrite from './rewrite/index.js';

/** What is known of a pass without running it. */
export type PassMetadata = Omit<PassDefinition<object>, 'options' | 'run'> & { readonly options: object };

/** A pass as the registry lists it: what is known of it, and for a rewriting one the way to run it together with others. */
export interface RegisteredPass {
  readonly definition: PassMetadata;
  readonly ready?: (options?: object) => ReadyRewrite;
}

/** The options of a pass as rows, by name. */
export function passOptions({ options }: PassMetadata): ReadonlyMap<string, OptionRow> {
  return new Map(Object.entries(options as Readonly<Record<string, OptionRow>>));
}

/** What the first file of each room lists. A pass that is in none does not exist. */
const ROOMS: readonly Readonly<Record<string, RegisteredPass>>[] = [
  eliminate,
  fold,
  activation,
  attention,
  convolution,
  elementwise,
  matmul,
  normalization,
  pool,
  views,
  rewrite,
  quantize,
];

/** The order in which groups are shown: that of the work. */
const GROUPS: readonly PassGroup[] = ['eliminate', 'fold', 'fuse', 'rewrite', 'quantize', 'prune'];

/** Every pass of serve-opt, by group and name. */
export const PASSES: readonly RegisteredPass[] = ROOMS.flatMap((room) => Object.values(room)).sort(
  ({ definition: a }, { definition: b }) =>
    GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || (a.name < b.name ? -1 : 1),
);
