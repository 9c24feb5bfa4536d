/** Where trtexec is. */
import { join } from 'node:path';
import { ServeOptError } from '../../errors.js';
import { type Environment, firstExecutable, pathFolders } from '../../machine/programs.js';

/** Folders beside PATH where NVIDIA's packages and containers have it. */
export const TRTEXEC_FOLDERS = ['/usr/src/tensorrt/bin', '/opt/tensorrt/bin'] as const;

/** A container image that has trtexec, for hints. */
export const TENSORRT_IMAGE = 'nvcr.io/nvidia/tensorrt:25.09-py3';

export interface TrtexecPlace {
  readonly path: string;
  /** How it was found. */
  readonly source: '--trtexec' | 'PATH' | 'TENSORRT_HOME' | 'folder';
}

/**
 * Looks at `--trtexec`, along PATH, in $TENSORRT_HOME/bin, and in the usual folders. Nothing is run.
 * @param given path of trtexec, or of a folder that has it
 * @throws SO5201 where `given` is no program
 */
export async function findTrtexec(env: Environment, given?: string): Promise<TrtexecPlace | undefined> {
  const endings = env.PATHEXT === undefined ? [''] : ['', ...env.PATHEXT.split(';')];
  if (given !== undefined) {
    const folders = [join(given, 'trtexec'), join(given, 'bin', 'trtexec')];
    const path = (await firstExecutable([given, ...folders], endings)) ?? undefined;
    if (path !== undefined) return { path, source: '--trtexec' };
    throw new ServeOptError('SO5201', `"${given}" of --trtexec is not a program`, {
      why: 'there is no such file, or it cannot be executed',
      hint: 'give the path of trtexec, /usr/src/tensorrt/bin/trtexec for example',
    });
  }
  const home = env.TENSORRT_HOME;
  const places: readonly (readonly [TrtexecPlace['source'], readonly string[]])[] = [
    ['PATH', pathFolders(env)],
    ['TENSORRT_HOME', home === undefined || home === '' ? [] : [join(home, 'bin'), home]],
    ['folder', TRTEXEC_FOLDERS],
  ];
  for (const [source, folders] of places) {
    const path = await firstExecutable(
      folders.map((folder) => join(folder, 'trtexec')),
      endings,
    );
    if (path !== undefined) return { path, source };
  }
  return undefined;
}
