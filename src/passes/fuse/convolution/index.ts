/**
 * What stands before and behind a convolution goes into it: Pads before, activations behind. `padding.ts` reads what a Pad adds.
 */
export { fuseConvActivation } from './fuse-conv-activation.js';
export { fusePadIntoConv } from './fuse-pad-into-conv.js';
export { fusePads } from './fuse-pads.js';
