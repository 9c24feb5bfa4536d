/**
 * Products: MatMul, Gemm and Einsum, and what lies around them. Transposes, scales, additions and views go into the product, or around it
 * where it then has fewer nodes. `fused-matmul.ts` is ONNX Runtime's own operator, `gemm.ts` the standard one.
 */
export { fuseEinsum } from './fuse-einsum.js';
export { fuseGemmActivation } from './fuse-gemm-activation.js';
export { fuseIntoFusedMatmul } from './fuse-into-fused-matmul.js';
export { fuseMatmulAdd } from './fuse-matmul-add.js';
export { fuseMatmulScale } from './fuse-matmul-scale.js';
export { fuseMatmulTranspose } from './fuse-matmul-transpose.js';
export { fuseMatmulViews } from './fuse-matmul-views.js';
export { fuseScaleIntoGemm } from './fuse-scale-into-gemm.js';
export { fuseTransposeIntoGemm } from './fuse-transpose-into-gemm.js';
