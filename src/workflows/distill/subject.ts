import { basename, dirname, join, resolve } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { PeekResult, RecordedName, RecordedOutput } from '../../runtime/jobs/record.js';
import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource, ValueSpec } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { suggest } from '../../suggest.js';
import type { ExecutionOptions } from '../options.js';
import { sessionOptions } from '../workbench/execution-session.js';
import type { OutputFiles } from './output-files.js';

/** A model with the samples that it runs on. */
export interface Subject {
  readonly path: string;
  /** Its file name, with its folder where others have the same. */
  readonly name: string;
  readonly model: Model;
  readonly source: Extract<SampleSource, { readonly kind: 'data' }>;
  /** Name of the samples by the name of the model's input, where they differ. */
  readonly names: ReadonlyMap<string, string>;
}

/** Names that tell files apart: of those with equal names, the folder goes before. */
export function distinctNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  return paths.map((path, i) => {
    const name = names[i] as string;
    if (names.filter((other) => other === name).length === 1) return name;
    const folder = basename(dirname(resolve(path)));
    return folder === '' ? name : `${folder}/${name}`;
  });
}

/** The inputs under the names that the samples have. */
export function sampleInputs({ model, names }: Subject): ValueSpec[] {
  return inputSpecs(model).map((spec) => ({ ...spec, name: names.get(spec.name) ?? spec.name }));
}

/**
 * Which samples each input of a student is fed: those of the teacher's input of the same name, or as the map says, or of the only
 * one left of the same type and shape. @throws SO4002 naming the input
 */
export function inputNames(
  student: Model,
  teacher: Model,
  map: ReadonlyMap<string, string>,
  studentName: string,
  ownData: boolean,
): Map<string, string> {
  const names = new Map<string, string>();
  const wanted = inputSpecs(student);
  if (ownData) return names;
  const given = inputSpecs(teacher);
  const byStudent = new Map([...map].map(([t, s]) => [s, t]));
  const free = new Map(given.map((spec) => [spec.name, spec]));
  for (const { name } of wanted) {
    const of = byStudent.get(name) ?? (free.has(name) ? name : undefined);
    if (of === undefined || !free.has(of)) continue;
    names.set(name, of);
    free.delete(of);
  }
  for (const spec of wanted) {
    if (names.has(spec.name)) continue;
    const alike = [...free.values()].filter((other) => other.dataType === spec.dataType && mayAgree(other, spec));
    const [only] = alike;
    if (alike.length !== 1 || !only) {
      throw new ServeOptError('SO4002', `"${studentName}" takes an input "${spec.name}" that the teacher has not`, {
        why: `it is ${spec.typeText}; inputs of the teacher that are not matched: ${[...free.values()].map((each) => `"${each.name}" ${each.typeText}`).join(', ') || 'none'}`,
        hint: `name the input of the teacher with --map INPUT:${spec.name}, or give other samples with --student-data`,
      });
    }
    names.set(spec.name, only.name);
    free.delete(only.name);
  }
  return new Map([...names].filter(([own, of]) => own !== of));
}

function mayAgree(a: ValueSpec, b: ValueSpec): boolean {
  if (!a.shape || !b.shape) return true;
  return (
    a.shape.length === b.shape.length &&
    a.shape.every((dim, axis) => {
      const other = b.shape?.[axis];
      return typeof dim !== 'number' || typeof other !== 'number' || dim === other;
    })
  );
}

interface LoadContext extends ExecutionOptions {
  readonly runtime: LazyRuntime;
}

/** Calls `use` with a session of a model whose tensors in `exposed` are outputs too. */
export async function withSubjectSession<T>(
  { path, model }: Subject,
  exposed: readonly string[],
  { runtime, ...execution }: LoadContext,
  use: (session: number) => Promise<T>,
): Promise<T> {
  const inner = exposed.filter((name) => !model.graph.outputs.some((output) => output.name === name));
  const run = async (file: string): Promise<T> => {
    const host = await runtime.host();
    // Exposed tensors must not be fused away.
    const options = withOptions(inner.length > 0 ? SESSIONS.unoptimized : SESSIONS.compared, sessionOptions(execution));
    const { session } = await host.request('load', { path: file, options });
    try {
      return await use(session);
    } finally {
      // A process that died has no sessions any more; what it died of is told.
      await host.request('release', { session }).catch(() => undefined);
    }
  };
  if (inner.length === 0) return run(path);
  const copy = model.clone();
  for (const name of inner) {
    const value = copy.graph.values.get(name);
    if (!value) throw unknownTensor(name, [...copy.graph.values.keys()], basename(path));
    copy.graph.addOutput(value);
  }
  return withWorkFolder(async (folder) => run(await writeRunnable(copy, folder)));
}

/** A tensor that a model has not. */
export function unknownTensor(name: string, names: readonly string[], model: string): ServeOptError {
  const near = suggest(name, names);
  return new ServeOptError('SO1003', `"${model}" has no tensor "${name}"`, {
    ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
  });
}

/** Outputs of a model on all samples. */
export async function record(
  subject: Subject,
  outputs: readonly RecordedName[],
  folder: string,
  stem: string,
  context: LoadContext & { readonly batch?: number; readonly onProgress: (done: number, total: number) => void },
): Promise<{ readonly samples: number; readonly outputs: readonly RecordedOutput[] }> {
  const { batch, onProgress, ...load } = context;
  return withSubjectSession(
    subject,
    outputs.map(({ name }) => name),
    load,
    async (session) =>
      (await load.runtime.host()).request(
        'record',
        {
          session,
          source: subject.source,
          inputs: sampleInputs(subject),
          names: subject.names,
          outputs,
          folder,
          stem,
          ...(batch === undefined ? {} : { batchSize: batch }),
        },
        { onProgress: ({ done, total }) => onProgress(done, total) },
      ),
  );
}

/** The first sample of a model, and labels and mask of the data. */
export async function peek(subject: Subject, mask: string | undefined, context: LoadContext): Promise<PeekResult> {
  return withSubjectSession(subject, [], context, async (session) =>
    (await context.runtime.host()).request('peek', {
      session,
      source: subject.source,
      inputs: sampleInputs(subject),
      names: subject.names,
      ...(mask === undefined ? {} : { mask }),
    }),
  );
}

/** Labels and mask of the data of a model, without running it. */
export async function peekData(
  subject: Subject,
  mask: string | undefined,
  runtime: LoadContext['runtime'],
): Promise<PeekResult> {
  return (await runtime.host()).request('peek', {
    source: subject.source,
    inputs: sampleInputs(subject),
    names: subject.names,
    ...(mask === undefined ? {} : { mask }),
  });
}

/** A recorded output as what is compared. */
export function outputFiles(
  output: RecordedOutput,
  folder: string,
  label: string,
  form: 'auto' | 'logits' | 'probabilities',
): OutputFiles {
  return {
    name: output.name,
    label,
    paths: output.files.map((file) => join(folder, file)),
    rows: output.rows,
    rowDims: output.rowDims,
    probabilities: form === 'auto' ? output.probabilities : form === 'probabilities',
    unit: form === 'auto' ? output.unit : form === 'probabilities',
  };
}
