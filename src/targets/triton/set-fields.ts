import { ServeOptError } from '../../errors.js';
import { MODEL_CONFIG, type ModelConfig } from '../../proto/model-config.js';
import { setTextField } from '../../proto/text-path.js';

/** Values of `parameters` are messages of one field: `parameters.KEY` and `parameters[KEY]` mean that field. */
const PARAMETER = /^parameters(?:\.(.+)|\["?([^"\]]+)"?\])$/;

/**
 * Sets fields of a configuration, each given as `path.to.field=value`.
 * @throws SO1006 for a text without `=`, SO3503 for a field or value that the schema does not have
 */
export function setFields(config: ModelConfig, settings: readonly string[]): ModelConfig {
  let changed = config;
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at <= 0) {
      throw new ServeOptError('SO1006', `The value "${setting}" of --set is not allowed`, {
        why: 'it must be the path of a field and a value',
        hint: 'write --set dynamic_batching.preserve_ordering=true',
      });
    }
    const [, dotted, bracketed] = PARAMETER.exec(setting.slice(0, at)) ?? [];
    const key = dotted?.replace(/\.string_value$/, '') ?? bracketed;
    const path = key === undefined ? setting.slice(0, at) : `parameters[${JSON.stringify(key)}].string_value`;
    const set = setTextField(MODEL_CONFIG, 'ModelConfig', changed, path, setting.slice(at + 1));
    if (!set.ok) {
      throw new ServeOptError('SO3503', `--set ${setting} is not allowed: ${set.why}`, {
        ...(set.suggestion === undefined ? {} : { why: `did you mean "${set.suggestion}"?` }),
      });
    }
    changed = set.message;
  }
  return changed;
}
