/**
 * Attention as exporters write it (projections, heads, scale, mask, softmax, cache, rotary embedding) becomes Attention, MultiHeadAttention
 * or RotaryEmbedding. `attention-site.ts` finds one and says what it consists of; `attention-forms.ts` tells the spellings of
 * inputs and outputs; `rotation.ts` and `rotary-angles.ts` know rotary embedding; the `fuse-` files write what is found.
 */

export { fuseAttention } from './fuse-attention.js';
export { fuseAttentionOrt } from './fuse-attention-ort.js';
export { fuseCacheIntoAttention } from './fuse-cache-into-attention.js';
export { fuseHeadsIntoAttention } from './fuse-heads-into-attention.js';
export { fuseMultiHeadAttention } from './fuse-multi-head-attention.js';
export { fuseQkvMatmuls } from './fuse-qkv-matmuls.js';
export { fuseRotaryEmbedding } from './fuse-rotary-embedding.js';
export { fuseRotaryEmbeddingOrt } from './fuse-rotary-embedding-ort.js';
