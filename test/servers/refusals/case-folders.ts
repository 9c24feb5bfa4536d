/** Cases as folders: the committed configurations, and the repositories that are put before a server. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServerCase } from './server-case.js';

/**
 * Lays out the repository of a case in an existing folder.
 * @param sharedFolder the folder of the files that cases share
 */
export function layOutCase({ models }: Pick<ServerCase, 'models'>, folder: string, sharedFolder: string): void {
  for (const [name, { config, files, folders = [] }] of Object.entries(models)) {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    for (const empty of folders) mkdirSync(join(home, empty), { recursive: true });
    if (config !== undefined) writeFileSync(join(home, 'config.pbtxt'), config);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      if (typeof content === 'string') writeFileSync(join(home, path), content);
      else copyFileSync(join(sharedFolder, content.shared), join(home, path));
    }
  }
}

/** Writes the configurations of a case below `folder`, one folder a case. */
export function writeConfigs({ name, models }: ServerCase, folder: string): void {
  for (const [model, { config }] of Object.entries(models)) {
    if (config === undefined) continue;
    mkdirSync(join(folder, name, model), { recursive: true });
    writeFileSync(join(folder, name, model, 'config.pbtxt'), config);
  }
}
