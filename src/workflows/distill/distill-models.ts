import { basename } from 'node:path';
import { ServeOptError } from '../../errors.js';
import type { FeatureTerms } from '../../evaluate/distill/distill-result.js';
import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import type { DistillReport } from '../../report/distill-types.js';
import { plural } from '../../report/format.js';
import { modelSizeBytes } from '../../report/model-size.js';
import type { ReportModel } from '../../report/types.js';
import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import { withDecoderReading } from '../decoder-reading.js';
import { describeReading } from '../describe-reading.js';
import { memoryLimit, runtimeOptions } from '../memory.js';
import type { InContext } from '../options.js';
import { checkDataPaths } from '../preflight/data.js';
import { checkModel } from '../preflight/model.js';
import { checkProviders } from '../preflight/providers.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import { FileHashes } from '../report-files.js';
import { Stages } from '../stages.js';
import { WatchedInputs } from '../watched-inputs.js';
import { outputMeanings } from '../workbench/output-meanings.js';
import { figureOptions } from './checked-options.js';
import { dataHash } from './data-hash.js';
import { DISTILL_DEFAULTS, type DistillModels, type DistillOptions } from './distill-options.js';
import { evaluateFeatures } from './evaluate-features.js';
import { evaluateOutputs, type Given, rowSet } from './evaluate-outputs.js';
import { type EvaluatedStudent, finishReport } from './finish-report.js';
import { costsKey, countedCost, type MeasuredCosts, measureLatencies, measureMemory } from './measure-costs.js';
import { type CachedOutputs, type CacheKey, OutputCache } from './output-cache.js';
import { chooseOutput, classLabels, matchingOutput, type OutputChoice } from './output-choice.js';
import { checkFeatures, checkMap, subjectsOf } from './read-subjects.js';
import { checkSameLabels } from './same-labels.js';
import { outputFiles, peek, peekData, record, type Subject, sampleInputs } from './subject.js';
import { cutOutputs, topKNotes } from './top-k-cache.js';
import { evaluateTopK } from './top-k-outputs.js';

type Options = InContext<DistillOptions>;

/** Runs the teacher once and each student, and compares their outputs. */
export async function distillModels(input: DistillModels, given: Options): Promise<DistillReport> {
  const { teacher, students, dataPath, studentDataPaths = [] } = input;
  const options = withDecoderReading(given, teacher, ...students);
  const figures = figureOptions(options);
  checkDataPaths(dataPath, ...studentDataPaths);
  const stages = new Stages(options);
  stages.start('read');
  const models: Model[] = [];
  const watched = new WatchedInputs(dataPath, ...studentDataPaths);
  try {
    const warnings: string[] = [];
    for (const path of [teacher, ...students]) {
      const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
      models.push(model);
      watched.add(model);
      warnings.push(...checkModel(model, options));
      const why = whyNotRunnable(model);
      if (why !== undefined)
        throw new ServeOptError('SO5006', why, { hint: 'such models cannot be compared by running them' });
    }
    const dataFiles = models.flatMap((model) => model.source?.externalPaths() ?? []);
    options.onFiles?.({ reads: [teacher, ...students, ...dataFiles, dataPath, ...studentDataPaths], writes: [] });
    await checkProviders(options.executionProviders, options);
    const subjects = subjectsOf(input, models, options);
    stages.end();
    return await watched.during(options.signal, async () => {
      const report = await new Distillation(subjects, options, stages).run(figures, warnings);
      watched.check();
      return report;
    });
  } finally {
    for (const model of models) model.source?.close();
  }
}

/** One run over all models. */
class Distillation {
  readonly #subjects: readonly [Subject, ...Subject[]];
  readonly #options: Options;
  readonly #stages: Stages;
  readonly #runtime: LazyRuntime;
  readonly #memoryBytes: number;
  readonly #hashes = new FileHashes();
  readonly #cache: OutputCache | undefined;

  constructor(subjects: readonly [Subject, ...Subject[]], options: Options, stages: Stages) {
    this.#subjects = subjects;
    this.#options = options;
    this.#stages = stages;
    this.#memoryBytes = memoryLimit(
      options,
      subjects.map(({ model }) => model),
    );
    this.#runtime = new LazyRuntime(runtimeOptions(options, this.#memoryBytes));
    this.#cache = options.cachePath === undefined ? undefined : new OutputCache(options.cachePath);
  }

  async run(figures: ReturnType<typeof figureOptions>, warnings: string[]): Promise<DistillReport> {
    try {
      return await withWorkFolder((folder) => this.#evaluate(folder.path, figures, warnings));
    } finally {
      await this.#runtime.close();
      await this.#hashes.close();
    }
  }

  async #evaluate(
    folder: string,
    figures: ReturnType<typeof figureOptions>,
    warnings: string[],
  ): Promise<DistillReport> {
    const [teacher, ...students] = this.#subjects;
    const options = this.#options;
    const features = options.features ?? [];
    checkFeatures(this.#subjects, features);
    checkMap(teacher, options.map ?? []);
    const reports: ReportModel[] = [];
    for (const { path, model } of this.#subjects)
      reports.push(await this.#hashes.model(path, model.source?.externalPaths() ?? []));
    const key = this.#cache ? await this.#keyOf() : undefined;
    this.#stages.start('teacher');
    const loading = { ...options, runtime: this.#runtime };
    const needed = features.map((pair) => pair.teacher);
    const cached = key && this.#cache?.teacher(key(0, reports[0] as ReportModel), needed);
    const peeked = cached
      ? { ...(await peekData(teacher, options.mask, this.#runtime)), outputs: cached.peeked }
      : await peek(teacher, options.mask, loading);
    const choice = chooseOutput(peeked, outputMeanings(teacher.model), options, teacher.source.path);
    const given = this.#given(choice, peeked);
    const ofTeacher = await this.#outputsOf(
      0,
      choice,
      choice.output,
      needed,
      folder,
      cached,
      key,
      reports,
      peeked.outputs,
    );
    this.#stages.end(cached ? 'from the cache' : `${ofTeacher.samples} samples`);
    const evaluated: EvaluatedStudent[] = [];
    for (const [i, student] of students.entries()) {
      evaluated.push(
        await this.#student(i + 1, student, { choice, given, ofTeacher, figures, folder, key, reports, peeked }),
      );
    }
    const costs = await this.#costs(reports);
    const { onnxRuntime } = await (await this.#runtime.host()).request('versions', undefined);
    return finishReport(
      {
        teacher: {
          name: teacher.name,
          model: reports[0] as ReportModel,
          output: choice.output,
          cost: costs.of(0),
          ...(cached ? { cached: true } : {}),
        },
        students: evaluated.map((each, i) => ({ ...each, cost: costs.of(i + 1) })),
        onnxRuntimeVersion: onnxRuntime,
        data: {
          name: basename(teacher.source.path),
          samples: ofTeacher.samples,
          labelled: given.classes !== undefined || given.labels !== undefined,
        },
        explanation: `${choice.because}${given.kind === 'classes' && this.#isProbabilities(ofTeacher, choice) ? '; its values are read as probabilities' : ''}`,
        warnings: [...warnings, ...peeked.warnings],
        notes: [
          ...topKNotes(ofTeacher.topK, figures.temperatures),
          ...costs.notes,
          ...describeReading(options.reading, sampleInputs(teacher)).notes,
        ],
      },
      figures,
      options,
    );
  }

  #isProbabilities(outputs: CachedOutputs, { output }: OutputChoice): boolean {
    const found = outputs.outputs.find(({ name }) => name === output);
    const form = this.#options.scores ?? DISTILL_DEFAULTS.scores;
    return form === 'auto' ? found?.probabilities === true : form === 'probabilities';
  }

  /** What all students are compared by. */
  #given(
    choice: OutputChoice,
    { labels, mask, outputs, count }: Awaited<ReturnType<typeof peek>>,
  ): Omit<Given, 'progress'> {
    const { kind, output } = choice;
    const dims = outputs.find(({ name }) => name === output)?.dims ?? [];
    const sizes = dims[0] === 1 && dims.length > 1 ? dims.slice(1) : dims;
    const classes = sizes.at(choice.axis) ?? 1;
    const tokens = sizes.reduce((product, size) => product * size, 1) / Math.max(1, classes);
    const name = basename(this.#subjects[0].source.path);
    const base = { kind, signal: this.#options.signal };
    const fits = kind !== 'classes' || mask?.data.length === count * tokens;
    // One that does not fit the output may be of the tokens of features.
    if (mask && !fits && !this.#options.features?.length) {
      throw new ServeOptError(
        'SO4002',
        `The mask "${this.#options.mask}" has ${mask.data.length / count} values a sample`,
        {
          why: `output "${output}" has ${plural(tokens, 'token')}`,
          hint: 'leave it out, or name the tensors that it is for with --feature T:S',
        },
      );
    }
    const masked = mask && fits ? { mask: mask.data as Uint8Array } : {};
    if (!labels) return { ...base, ...masked };
    if (kind !== 'classes') return { ...base, labels, ...masked };
    // Of sequences, labels may be of samples, which say nothing of tokens.
    return { ...base, classes: classLabels(labels, choice, count * tokens, classes, name), ...masked };
  }

  async #student(
    index: number,
    student: Subject,
    shared: {
      readonly choice: OutputChoice;
      readonly given: Omit<Given, 'progress'>;
      readonly ofTeacher: CachedOutputs;
      readonly figures: ReturnType<typeof figureOptions>;
      readonly folder: string;
      readonly key: KeyOf | undefined;
      readonly reports: readonly ReportModel[];
      readonly peeked: Awaited<ReturnType<typeof peek>>;
    },
  ): Promise<EvaluatedStudent> {
    const { choice, given, ofTeacher, figures, folder, key, reports, peeked } = shared;
    const options = this.#options;
    const map = new Map((options.map ?? []).map((pair) => [pair.teacher, pair.student]));
    const features = options.features ?? [];
    const name = student.name;
    this.#stages.start('student');
    await checkSameLabels(student, this.#subjects[0], peeked.labels, this.#runtime);
    const needed = features.map((pair) => pair.student);
    const keepsAll = options.cacheTopK === undefined;
    const cached =
      keepsAll && key ? this.#cache?.student(key(index, reports[index] as ReportModel), needed) : undefined;
    const outputs = cached?.peeked ?? (await peek(student, undefined, { ...options, runtime: this.#runtime })).outputs;
    const dims = peeked.outputs.find((output) => output.name === choice.output)?.dims ?? [];
    const output = matchingOutput(outputs, name, { name: choice.output, dims, axis: choice.axis }, map);
    const recorded = await this.#outputsOf(index, choice, output, needed, folder, cached, key, reports, outputs);
    if (recorded.samples !== ofTeacher.samples)
      throw new ServeOptError(
        'SO4002',
        `"${name}" has ${recorded.samples} samples, the teacher has ${ofTeacher.samples}`,
        {
          hint: 'give the same samples in the same order with --student-data',
        },
      );
    this.#stages.end(cached ? `${name} from the cache` : name);
    this.#stages.start('evaluate');
    const form = options.scores ?? DISTILL_DEFAULTS.scores;
    const files = (of: CachedOutputs, wanted: string, label: string) => {
      const found = of.outputs.find((each) => each.name === wanted);
      if (!found) throw new ServeOptError('SO9001', `output "${wanted}" was not recorded`);
      return outputFiles(found, of.folder, label, form);
    };
    const scores = files(recorded, output, name);
    const progress = (done: number, total: number): void => this.#stages.advance(done, total);
    const { topK } = ofTeacher;
    const evaluation = topK
      ? evaluateTopK(topK, ofTeacher.folder, scores, rowSet(scores, given), figures, progress)
      : await evaluateOutputs(
          files(ofTeacher, choice.output, this.#subjects[0].name),
          scores,
          { ...given, progress },
          figures,
        );
    const terms: readonly FeatureTerms[] = await evaluateFeatures(
      features.map((pair) => ({
        teacher: files(ofTeacher, pair.teacher, pair.teacher),
        student: files(recorded, pair.student, pair.student),
      })),
      { signal: options.signal, ...(peeked.mask ? { mask: peeked.mask.data as Uint8Array } : {}) },
    );
    this.#stages.end(name);
    return {
      name,
      model: reports[index] as ReportModel,
      output,
      evaluation,
      features: terms,
      ...(cached ? { cached: true } : {}),
    };
  }

  /** Outputs of a model on all samples: from the cache, or by running it. */
  async #outputsOf(
    index: number,
    choice: OutputChoice,
    output: string,
    features: readonly string[],
    folder: string,
    cached: CachedOutputs | undefined,
    key: KeyOf | undefined,
    reports: readonly ReportModel[],
    peeked: CachedOutputs['peeked'],
  ): Promise<CachedOutputs> {
    if (cached && (cached.topK?.name === output || cached.outputs.some(({ name }) => name === output))) return cached;
    const subject = this.#subjects[index] as Subject;
    const names = [
      { name: output, axis: choice.kind === 'classes' ? choice.axis : -1 },
      ...[...new Set(features)].filter((name) => name !== output).map((name) => ({ name })),
    ];
    const { batch, cacheTopK } = this.#options;
    const run = async (target: string) => {
      const recorded = await record(subject, names, target, index === 0 ? 'teacher' : `student${index}`, {
        ...this.#options,
        runtime: this.#runtime,
        ...(batch === undefined ? {} : { batch }),
        onProgress: (done, total) => this.#stages.advance(done, total),
      });
      return { ...(index === 0 ? cutOutputs(recorded, target, choice, this.#options) : recorded), peeked };
    };
    // Of many classes the scores of students would take the room that the teacher's do not.
    if (this.#cache && key && (index === 0 || cacheTopK === undefined))
      return this.#cache.keep(index === 0 ? 'teacher' : 'student', key(index, reports[index] as ReportModel), run);
    return { ...(await run(folder)), folder };
  }

  async #keyOf(): Promise<KeyOf> {
    const { samples, batch, cacheTopK, executionProviders = ['cpu'] } = this.#options;
    const { onnxRuntime } = await (await this.#runtime.host()).request('versions', undefined);
    const hashes = new Map<string, string>();
    for (const { source } of this.#subjects)
      if (!hashes.has(source.path)) hashes.set(source.path, await dataHash(source.path));
    return (index, { name, sha256 = '', externalData = [] }) => {
      const { source, names } = this.#subjects[index] as Subject;
      return {
        model: { name, sha256: [sha256, ...externalData.map((file) => file.sha256 ?? '')].join('+') },
        data: { name: basename(source.path), sha256: hashes.get(source.path) ?? '' },
        samples: samples ?? null,
        batch: batch ?? null,
        executionProviders,
        onnxRuntime,
        inputs: [...names],
        topK: (index === 0 ? cacheTopK : undefined) ?? null,
      };
    };
  }

  async #measure(
    teacher: Subject,
    students: readonly Subject[],
    options: Options & { readonly memoryBytes: number },
  ): Promise<MeasuredAll> {
    this.#stages.start('measure');
    const latencies = await measureLatencies(teacher, students, options);
    const memory = await measureMemory(this.#subjects, options);
    this.#stages.end();
    return { latencies, memory };
  }

  /** What models cost: counted for all, and measured where that is wanted. */
  async #costs(reports: readonly ReportModel[]) {
    const [teacher, ...students] = this.#subjects;
    const options = { ...this.#options, memoryBytes: this.#memoryBytes };
    const measures = this.#options.measure ?? DISTILL_DEFAULTS.measure;
    const key = measures && this.#cache ? costsKey(this.#subjects, reports, this.#options) : undefined;
    const known = key === undefined ? undefined : this.#cache?.costs<MeasuredAll>(key);
    const measured = known ?? (measures ? await this.#measure(teacher, students, options) : undefined);
    if (key !== undefined && !known) await this.#cache?.keepCosts(key, measured);
    const { latencies, memory = [] } = measured ?? {};
    return {
      notes: [
        ...(latencies?.notes ?? []),
        ...(known ? ['Latency and memory are those of an earlier run, from the cache.'] : []),
      ],
      of: (index: number) => {
        const latency = index === 0 ? latencies?.teacher : latencies?.students[index - 1];
        const memoryBytes = memory[index];
        return {
          sizeBytes: modelSizeBytes(reports[index] as ReportModel),
          ...countedCost((this.#subjects[index] as Subject).model),
          ...(latency ? { latency } : {}),
          ...(memoryBytes === undefined ? {} : { memoryBytes }),
        };
      },
    };
  }
}

interface MeasuredAll {
  readonly latencies: MeasuredCosts;
  readonly memory: readonly number[];
}

type KeyOf = (index: number, report: ReportModel) => CacheKey;
