import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

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
export async function findTools(env: Readonly<Record<string, string | undefined>>): Promise<readonly ToolReport[]> {
  const folders = pathFolders(env);
  const endings = endingsOf(env);
  return Promise.all(
    TOOLS.map(async (tool) => {
      const path = await firstExecutable(folders, tool.name, endings);
      return path === undefined ? { ...tool, found: false } : { ...tool, found: true, path };
    }),
  );
}

/** The path of one program along PATH. */
export async function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return firstExecutable(pathFolders(env), name, endingsOf(env));
}

function pathFolders(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '');
}

function endingsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return env.PATHEXT === undefined ? [''] : env.PATHEXT.split(';');
}

async function firstExecutable(
  folders: readonly string[],
  name: string,
  endings: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) {
    for (const ending of endings) {
      const path = join(folder, name + ending);
      if (await isExecutable(path)) return path;
    }
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Absent, or not ours to run: both mean "not here".
    return false;
  }
}
