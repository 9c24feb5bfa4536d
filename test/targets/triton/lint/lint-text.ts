/** Repositories as plain data, for the rules of the check: no files. */
import { parseModel } from '../../../../src/ir/text/parse-model.js';
import type { PackageFinding } from '../../../../src/targets/finding.js';
import type { EntryFacts, ModelFolderFacts, OnnxFacts } from '../../../../src/targets/triton/lint/facts.js';
import { lintRepository } from '../../../../src/targets/triton/lint/lint-repository.js';
import { onnxFacts } from '../../../../src/targets/triton/lint/onnx-facts.js';

export interface Folder {
  readonly config?: string;
  /** Graphs of ONNX files by path, in ONNX text syntax without the head. */
  readonly onnx?: Readonly<Record<string, string>>;
  /** Sizes of other files by path; a path that ends with a slash is a folder. */
  readonly files?: Readonly<Record<string, number>>;
  readonly others?: Readonly<Record<string, string>>;
  /** Lines of label files. */
  readonly labels?: Readonly<Record<string, number>>;
  readonly links?: Readonly<Record<string, 'outside' | 'broken'>>;
  readonly unreadable?: string;
  readonly onnxProblem?: string;
  readonly configUnreadable?: string;
}

export function lint(
  models: Readonly<Record<string, Folder>>,
  kind: 'repository' | 'model' = 'repository',
): PackageFinding[] {
  const folders = Object.entries(models).map(([name, folder]) => facts(name, folder, kind === 'model' ? '' : name));
  return lintRepository({ kind, models: folders });
}

/** Findings of one model named `model`, a line each: `error dims-differ 4:3 what`. */
export function lintModel(folder: Folder): string[] {
  return lint({ model: folder }).map(line);
}

export function line({ severity, rule, path, line: at, column, what }: PackageFinding): string {
  const place = at === undefined ? path : `${path}:${at}:${column}`;
  return `${severity} ${rule.replace('triton/', '')} ${place} ${what}`;
}

function facts(name: string, folder: Folder, path: string): ModelFolderFacts {
  const entries = new Map<string, EntryFacts>();
  const add = (file: string, entry: EntryFacts): void => {
    const parts = file.replace(/\/$/, '').split('/');
    for (let depth = 1; depth < parts.length; depth++)
      entries.set(parts.slice(0, depth).join('/'), { kind: 'folder', sizeBytes: 0 });
    entries.set(parts.join('/'), entry);
  };
  const { config, onnx = {}, files = {}, others = {}, labels = {}, links = {}, unreadable } = folder;
  for (const file of Object.keys(onnx)) add(file, { kind: 'file', sizeBytes: 100 });
  for (const [file, sizeBytes] of Object.entries(files))
    add(file, { kind: file.endsWith('/') ? 'folder' : 'file', sizeBytes });
  for (const file of Object.keys(labels)) add(file, { kind: 'file', sizeBytes: 10 });
  for (const [file, kind] of Object.entries(links)) add(file, { kind, sizeBytes: 0 });
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
  return {
    name,
    path,
    entries,
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(config === undefined ? {} : { config: { path: 'config.pbtxt', bytes: bytes(config) } }),
    ...(folder.configUnreadable === undefined
      ? {}
      : { config: { path: 'config.pbtxt', unreadable: folder.configUnreadable } }),
    otherConfigs: Object.entries(others).map(([file, text]) => ({ path: file, bytes: bytes(text) })),
    onnx: new Map(Object.entries(onnx).map(([file, text]) => [file, onnxOf(text, folder.onnxProblem)])),
    labels: new Map(Object.entries(labels).map(([file, lines]) => [file, { lines }])),
  };
}

function onnxOf(text: string, problem: string | undefined): OnnxFacts {
  if (problem !== undefined) return { problem, inputs: [], defaults: [], outputs: [], unknownOperators: [] };
  return onnxFacts(parseModel(`<ir_version: 8, opset_import: ["": 17, "custom": 1]> ${text}`));
}

/** A model with a batch, from X to Y of four floats each. */
export const BATCHED = 'g (float[N,4] X) => (float[N,4] Y) { Y = Relu (X) }';
export const HEAD = 'platform: "onnxruntime_onnx"\nmax_batch_size: 8\n';
export const X4 = 'input { name: "X" data_type: TYPE_FP32 dims: 4 }\n';
export const Y4 = 'output { name: "Y" data_type: TYPE_FP32 dims: 4 }\n';
export const PLAIN = `${HEAD}${X4}${Y4}`;

export function onnx(config: string | undefined, graph = BATCHED, more: Folder = {}): Folder {
  return { ...(config === undefined ? {} : { config }), ...more, onnx: { '1/model.onnx': graph, ...more.onnx } };
}
