/** What the cases in the styles of public repositories share. */
import { type ModelFolder, type Outcome, type ServerCase, shared } from './server-case.js';

/** A model of a backend whose files are only looked for, never read. */
export const other = (config: string, ...files: readonly string[]): ModelFolder => ({
  config,
  files: Object.fromEntries(files.map((file) => [file, 'not a real file\n'])),
});

/** A case of one model, named `model`, or of several by name. */
export function style(
  outcome: Outcome,
  name: string,
  summary: string,
  model: ModelFolder | ServerCase['models'],
  rest: Partial<ServerCase> = {},
): ServerCase {
  const isFolder = 'files' in model && typeof model.files === 'object' && !('config' in (model.files as object));
  const models = isFolder ? { model: model as ModelFolder } : (model as ServerCase['models']);
  return { name: `style-${name}`, summary, outcome, models, ...rest };
}

/** A Python model that gives back its inputs. */
export const echo = (config: string): ModelFolder => ({ config, files: { '1/model.py': shared('echo.py') } });
