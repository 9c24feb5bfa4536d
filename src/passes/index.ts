/** `serve-opt/passes`: every pass by itself, to be run on a model with `run`, or together by `optimizeGraph`. */
export * from './eliminate/index.js';
export * from './fold/index.js';
export * from './fuse/activation/index.js';
export * from './fuse/attention/index.js';
export * from './fuse/convolution/index.js';
export * from './fuse/elementwise/index.js';
export * from './fuse/matmul/index.js';
export * from './fuse/normalization/index.js';
export * from './fuse/pool/index.js';
export * from './fuse/views/index.js';
export * from './quantize/index.js';
export * from './rewrite/index.js';
