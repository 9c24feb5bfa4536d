/**
 * Activations spelt out in Exp, Erf, Tanh, Max and Min become one operator: Clip, Gelu, HardSwish, LeakyRelu, Mish, Swish, Softmax,
 * LogSoftmax; with ONNX Runtime's operators also those with a bias inside.
 */
export { fuseBiasGeluOrt } from './fuse-bias-gelu-ort.js';
export { fuseClip } from './fuse-clip.js';
export { fuseGelu } from './fuse-gelu.js';
export { fuseGeluOrt } from './fuse-gelu-ort.js';
export { fuseHardSwish } from './fuse-hard-swish.js';
export { fuseLeakyRelu } from './fuse-leaky-relu.js';
export { fuseLogSoftmax } from './fuse-log-softmax.js';
export { fuseMish } from './fuse-mish.js';
export { fuseQuickGeluOrt } from './fuse-quick-gelu-ort.js';
export { fuseSoftmax, type SoftmaxOptions } from './fuse-softmax.js';
export { fuseSoftmaxCasts } from './fuse-softmax-casts.js';
export { fuseSwish } from './fuse-swish.js';
