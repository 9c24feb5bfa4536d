/** The text of src/tensor/kernels.generated.ts. */
export function generatedKernels(): Promise<string>;
