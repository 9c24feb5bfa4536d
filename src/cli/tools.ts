import { type Environment, findProgram } from '../machine/programs.js';

export interface ToolDefinition {
  readonly name: string;
  /** What serve-opt or its user needs it for. */
  readonly purpose: string;
}

export interface ToolReport extends ToolDefinition {
  readonly found: boolean;
  readonly path?: string;
  /** Of trtexec: the version of its TensorRT, or why it does not tell. */
  readonly version?: string;
  readonly why?: string;
}

/** Programs that work with what serve-opt writes. None of them is needed to quantize. */
export const TOOLS: readonly ToolDefinition[] = [
  { name: 'trtexec', purpose: 'builds and times TensorRT engines' },
  { name: 'tritonserver', purpose: 'serves model repositories' },
  { name: 'torchserve', purpose: 'serves archives' },
  { name: 'torch-model-archiver', purpose: 'packs archives for TorchServe' },
  { name: 'docker', purpose: 'builds and runs images' },
  { name: 'kubectl', purpose: 'talks to a Kubernetes cluster' },
];

/** Looks for each tool along PATH, as a shell would. Nothing is run. */
export async function findTools(env: Environment): Promise<readonly ToolReport[]> {
  return Promise.all(
    TOOLS.map(async (tool) => {
      const path = await findProgram(tool.name, env);
      return path === undefined ? { ...tool, found: false } : { ...tool, found: true, path };
    }),
  );
}
