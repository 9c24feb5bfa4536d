/** Programs of this machine, looked for as a shell would. Nothing is run. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folders of PATH, in order. */
export function pathFolders(env: Environment): readonly string[] {
  return (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '');
}

/** A program along PATH; undefined where it is not there. */
export function findProgram(name: string, env: Environment): Promise<string | undefined> {
  const endings = env.PATHEXT === undefined ? [''] : env.PATHEXT.split(';');
  return firstExecutable(
    pathFolders(env).map((folder) => join(folder, name)),
    endings,
  );
}

/** The first of these paths, each with each ending, that is an executable file. */
export async function firstExecutable(
  paths: readonly string[],
  endings: readonly string[],
): Promise<string | undefined> {
  for (const path of paths) for (const ending of endings) if (await isExecutable(path + ending)) return path + ending;
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
