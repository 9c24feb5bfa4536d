import { isJsonObject } from '../../../json-object.js';
import { suggest } from '../../../suggest.js';
import { whyUnsafePath } from '../../package-file.js';
import { MANIFEST_PATH } from '../manifest.js';
import { type MarContents, textOf } from './mar-contents.js';
import { placeOf, type Reporter } from './mar-finding.js';

/** What a manifest says of its model, as far as it is sound. */
export interface ManifestFacts {
  readonly handler?: string;
  readonly serializedFile?: string;
  readonly requirementsFile?: string;
  readonly configFile?: string;
}

const RUNTIMES: readonly string[] = ['python', 'python3', 'LSP'];
const TOP_KEYS = [
  'createdOn',
  'description',
  'runtime',
  'model',
  'archiverVersion',
  'engine',
  'modelServerVersion',
  'implementationVersion',
  'specificationVersion',
  'license',
  'user',
  'publisher',
  'workflow',
];
const MODEL_KEYS = [
  'modelName',
  'version',
  'description',
  'modelVersion',
  'handler',
  'envelope',
  'serializedFile',
  'modelFile',
  'requirementsFile',
  'configFile',
  'extensions',
];

/** Handlers that come with TorchServe. */
export const BUILT_IN_HANDLERS: ReadonlySet<string> = new Set([
  'base_handler',
  'image_classifier',
  'image_segmenter',
  'object_detector',
  'text_classifier',
  'dali_image_classifier',
  'vision_handler',
  'text_handler',
  'vllm_handler',
  'trt_llm_handler',
]);

/** MAR-INF/MANIFEST.json: whether TorchServe can read it, and whether what it names is there. */
export function checkManifest(contents: MarContents, report: Reporter): ManifestFacts {
  const add: Reporter = (severity, rule, path, found) => report(severity, rule, path, found);
  if (!contents.files.has(MANIFEST_PATH)) {
    const near = [...contents.files.keys()].find((path) => /(^|\/)manifest\.json$/i.test(path));
    add('error', 'manifest-missing', near ?? '', {
      what: near === undefined ? 'there is no manifest' : 'the manifest is not where TorchServe looks for it',
      why: 'without MAR-INF/MANIFEST.json TorchServe knows neither name nor handler',
      fix: `put it at ${MANIFEST_PATH}`,
    });
    return {};
  }
  const text = textOf(contents, MANIFEST_PATH);
  if (text === undefined) {
    add('error', 'manifest-json', MANIFEST_PATH, {
      what: 'the manifest is not UTF-8, or too large',
      why: 'it must be JSON',
      fix: 'write it again',
    });
    return {};
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(message)?.[1];
    add('error', 'manifest-json', MANIFEST_PATH, {
      what: `the manifest is not valid JSON: ${message.split('\n')[0]}`,
      why: 'TorchServe refuses the archive',
      fix: 'correct the JSON',
      ...(at === undefined ? {} : placeOf(text, Number(at))),
    });
    return {};
  }
  if (!isJsonObject(manifest)) {
    add('error', 'manifest-json', MANIFEST_PATH, {
      what: 'the manifest is not an object',
      why: 'TorchServe refuses the archive',
      fix: 'write an object with "model"',
    });
    return {};
  }
  checkKeys(manifest, TOP_KEYS, text, report);
  const { runtime, model } = manifest;
  if (runtime !== undefined && !RUNTIMES.includes(String(runtime))) {
    add('error', 'manifest-runtime', MANIFEST_PATH, {
      what: `the runtime ${JSON.stringify(runtime)} is unknown`,
      why: 'TorchServe refuses the archive: "Runtime is not defined or invalid"',
      fix: 'write "python"',
      ...keyPlace(text, 'runtime'),
    });
  }
  if (!isJsonObject(model)) {
    add('error', 'manifest-model', MANIFEST_PATH, {
      what: model === undefined ? 'the manifest has no "model"' : '"model" is not an object',
      why: 'TorchServe refuses the archive',
      fix: 'add "model" with modelName, handler and serializedFile',
    });
    return {};
  }
  checkKeys(model, MODEL_KEYS, text, report);
  return checkModelFields(model, text, contents, report);
}

function checkModelFields(
  model: Readonly<Record<string, unknown>>,
  text: string,
  contents: MarContents,
  report: Reporter,
): ManifestFacts {
  const found = (what: string, why: string, fix: string, key: string) => ({ what, why, fix, ...keyPlace(text, key) });
  const field = (key: string): string | undefined => {
    const value = model[key];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    report(
      'error',
      'manifest-type',
      MANIFEST_PATH,
      found(`"${key}" is not a text`, 'TorchServe refuses the archive', 'write a text', key),
    );
    return undefined;
  };
  const name = field('modelName');
  if (name === undefined) {
    report('error', 'manifest-name', MANIFEST_PATH, {
      what: 'the manifest has no "modelName"',
      why: 'TorchServe refuses the archive unless a name is given with each registration',
      fix: 'add "modelName" to "model"',
    });
  } else if (!/^[A-Za-z0-9][A-Za-z0-9_\-.]*$/.test(name)) {
    report(
      'warning',
      'manifest-name',
      MANIFEST_PATH,
      found(
        `the name "${name.slice(0, 80)}" has characters that torch-model-archiver refuses`,
        'it becomes a part of URLs',
        'use letters, digits, "_", "-" and "."',
        'modelName',
      ),
    );
  }
  if (field('modelVersion') === undefined) {
    report('note', 'manifest-version', MANIFEST_PATH, {
      what: 'the manifest has no "modelVersion"',
      why: 'TorchServe takes 1.0',
      fix: 'add "modelVersion"',
    });
  }
  const serializedFile = named('serializedFile', 'error', 'the handler cannot load the model');
  const handler = handlerField();
  const custom = handler !== undefined && !BUILT_IN_HANDLERS.has(handler);
  const requirementsFile = named(
    'requirementsFile',
    'warning',
    'with install_py_dep_per_model the model is not loaded',
  );
  const configFile = named('configFile', 'error', 'the worker fails to start');
  const isOnnx = serializedFile?.toLowerCase().endsWith('.onnx') === true;
  if (field('modelFile') !== undefined && isOnnx) {
    const why = "with it TorchServe's base handler loads the model as a pickled PyTorch module, not as ONNX";
    report(
      custom ? 'warning' : 'error',
      'model-file',
      MANIFEST_PATH,
      found('"modelFile" is set for an ONNX model', why, 'remove "modelFile"', 'modelFile'),
    );
  }
  if (isOnnx && handler !== undefined && !custom && handler !== 'base_handler') {
    report(
      'warning',
      'handler-torch',
      MANIFEST_PATH,
      found(
        `the handler "${handler}" computes with torch tensors`,
        'ONNX Runtime takes NumPy arrays',
        'use a handler for ONNX models: serve-opt package mar writes one',
        'handler',
      ),
    );
  }
  return {
    ...(handler === undefined ? {} : { handler }),
    ...(serializedFile === undefined ? {} : { serializedFile }),
    ...(requirementsFile === undefined ? {} : { requirementsFile }),
    ...(configFile === undefined ? {} : { configFile }),
  };

  function named(key: string, severity: 'error' | 'warning', why: string): string | undefined {
    const file = field(key);
    if (file === undefined) {
      if (key === 'serializedFile') {
        report('warning', 'serialized-missing', MANIFEST_PATH, {
          what: 'the manifest has no "serializedFile"',
          why: 'the handler has to know its model by itself',
          fix: 'add "serializedFile"',
        });
      }
      return undefined;
    }
    const unsafe = whyUnsafePath(file);
    if (unsafe !== undefined) {
      report(
        'error',
        'manifest-path',
        MANIFEST_PATH,
        found(
          `the path "${file.slice(0, 80)}" of "${key}" is not safe: ${unsafe}`,
          'it could lead out of the model',
          'name a file of the archive',
          key,
        ),
      );
      return undefined;
    }
    if (contents.files.has(file)) return file;
    const near = suggest(file, [...contents.files.keys()]);
    report(
      severity,
      'file-missing',
      MANIFEST_PATH,
      found(
        `"${key}" names "${file}", which is not in the archive`,
        why,
        near === undefined ? 'add the file' : `did you mean "${near}"?`,
        key,
      ),
    );
    return undefined;
  }

  function handlerField(): string | undefined {
    const handler = field('handler');
    if (handler === undefined) {
      report('error', 'handler-missing', MANIFEST_PATH, {
        what: 'the manifest has no "handler"',
        why: 'no worker can start',
        fix: 'add "handler" with a file of the archive',
      });
      return undefined;
    }
    // As TorchServe reads it: without the folder, the ending and what follows a colon.
    const [file = ''] = handler.split(':');
    const module = (file.split('/').at(-1) ?? file).replace(/\.py$/, '');
    if (contents.files.has(`${module}.py`)) return handler;
    if (BUILT_IN_HANDLERS.has(module)) return module;
    const near = suggest(
      `${module}.py`,
      [...contents.files.keys()].filter((path) => path.endsWith('.py')),
    );
    report(
      'error',
      'handler-missing',
      MANIFEST_PATH,
      found(
        `the handler "${handler.slice(0, 80)}" is not in the archive`,
        'no worker can start',
        near === undefined ? `add ${module}.py` : `did you mean "${near}"?`,
        'handler',
      ),
    );
    return undefined;
  }
}

function checkKeys(
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
  text: string,
  report: Reporter,
): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    const near = suggest(key, known);
    report('warning', 'manifest-key', MANIFEST_PATH, {
      what: `the key "${key.slice(0, 80)}" is unknown`,
      why: 'TorchServe ignores it',
      fix: near === undefined ? 'remove it' : `did you mean "${near}"?`,
      ...keyPlace(text, key),
    });
  }
}

/** Where a key stands, as far as a search finds it. */
function keyPlace(text: string, key: string): { readonly line?: number; readonly column?: number } {
  const at = text.indexOf(JSON.stringify(key));
  return at < 0 ? {} : placeOf(text, at);
}
