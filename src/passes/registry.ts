import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import type { ReadyRewrite } from './engine/rewrite.js';
import { foldAffineIntoConv } from './fold/fold-affine-into-conv.js';
import { foldBatchNormalization } from './fold/fold-batch-normalization.js';
import { foldConstantViews } from './fold/fold-constant-views.js';
import { fuseAttentionOrt } from './fuse/fuse-attention-ort.js';
import { fuseHardSwish } from './fuse/fuse-hard-swish.js';
import { fuseMultiHeadAttention } from './fuse/fuse-multi-head-attention.js';
import type { OptionRow, PassDefinition } from './pass.js';
import { convertToFloat16 } from './quantize/convert-to-float16.js';
import { quantizeDynamic } from './quantize/quantize-dynamic.js';
import { quantizeStatic } from './quantize/quantize-static.js';
import { initializersNotInputs } from './rewrite/initializers-not-inputs.js';
import { upgradeOpset } from './rewrite/upgrade-opset.js';

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

/** Every pass of serve-opt, in the order in which they are shown. A pass that is not in this list does not exist. */
export const PASSES: readonly RegisteredPass[] = [
  eliminateDead,
  eliminateIdentity,
  foldBatchNormalization,
  foldAffineIntoConv,
  foldConstantViews,
  fuseAttentionOrt,
  fuseHardSwish,
  fuseMultiHeadAttention,
  initializersNotInputs,
  upgradeOpset,
  quantizeStatic,
  quantizeDynamic,
  convertToFloat16,
];
