/** The text of src/tensor/NAME.generated.ts; of the kernels over weights by default. */
export function generatedKernels(name?: 'kernels' | 'matrix' | 'softmax' | 'blocks' | 'histogram'): Promise<string>;
