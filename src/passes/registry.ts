import { eliminateDead } from './eliminate/eliminate-dead.js';
import { eliminateIdentity } from './eliminate/eliminate-identity.js';
import { foldAffineIntoConv } from './fold/fold-affine-into-conv.js';
import { foldBatchNormalization } from './fold/fold-batch-normalization.js';
import { foldConstantViews } from './fold/fold-constant-views.js';
import { fuseHardSwish } from './fuse/fuse-hard-swish.js';
import type { OptionRow, PassDefinition } from './pass.js';
import { convertToFloat16 } from './quantize/convert-to-float16.js';
import { quantizeDynamic } from './quantize/quantize-dynamic.js';
import { quantizeStatic } from './quantize/quantize-static.js';
import { initializersNotInputs } from './rewrite/initializers-not-inputs.js';
import { upgradeOpset } from './rewrite/upgrade-opset.js';

/** What is known of a pass without running it. */
export type PassMetadata = Omit<PassDefinition<object>, 'options' | 'run'> & {
  readonly options: Readonly<Record<string, OptionRow>>;
};

/** Every pass of serve-opt, in the order in which they are shown. A pass that is not in this list does not exist. */
export const PASSES: readonly { readonly definition: PassMetadata }[] = [
  eliminateDead,
  eliminateIdentity,
  foldBatchNormalization,
  foldAffineIntoConv,
  foldConstantViews,
  fuseHardSwish,
  initializersNotInputs,
  upgradeOpset,
  quantizeStatic,
  quantizeDynamic,
  convertToFloat16,
];
