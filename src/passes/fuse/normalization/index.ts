/**
 * Normalizations spelt out in means and roots become LayerNormalization, RMSNormalization, InstanceNormalization, GroupNormalization, and
 * those of ONNX Runtime with a residual sum or embeddings inside. `normalization-pattern.ts` reads the spelt-out form.
 */
export { fuseEmbedLayerNormalization } from './fuse-embed-layer-normalization.js';
export { fuseGroupNormalization } from './fuse-group-normalization.js';
export { fuseInstanceNormalization } from './fuse-instance-normalization.js';
export { fuseLayerNormalization } from './fuse-layer-normalization.js';
export { fuseRmsNormalization } from './fuse-rms-normalization.js';
export { type FuseSkipNormalizationOrtOptions, fuseSkipNormalizationOrt } from './fuse-skip-normalization-ort.js';
