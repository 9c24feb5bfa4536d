import type { Model } from '../../ir/model.js';
import { type StagedModel, stageModel } from '../../ir/write-model.js';
import { REPORT_SCHEMA_VERSION, type ReportModel } from '../../report/types.js';
import { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { packageVersion } from '../../version.js';
import { memoryLimit, runtimeOptions } from '../memory.js';
import type { InContext, ProduceOptions } from '../options.js';
import { FileHashes } from '../report-files.js';
import type { Stages } from '../stages.js';

/** What a run starts from. */
export interface RunInput<Options> {
  readonly model: Model;
  readonly path: string;
  readonly outputPath: string;
  readonly options: InContext<Options>;
  readonly stages: Stages;
}

/** The first fields of a report. */
export interface RunHeader<Name> {
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION;
  readonly command: Name;
  readonly version: string;
  readonly onnxRuntimeVersion?: string;
}

/** One run of a command that makes a model: what all of its parts share, and what has to be closed at its end. */
export class ModelRun<Options extends ProduceOptions = ProduceOptions> {
  readonly model: Model;
  readonly path: string;
  readonly outputPath: string;
  readonly options: InContext<Options>;
  readonly stages: Stages;
  /** What running models and computing constants may take. */
  readonly memoryBytes: number;
  readonly runtime: LazyRuntime;
  /** About options of which nothing comes, and about rules that the model breaks. */
  readonly warnings: string[] = [];
  readonly #hashes = new FileHashes();
  readonly #closers: (() => Promise<void> | void)[];

  constructor({ model, path, outputPath, options, stages }: RunInput<Options>) {
    this.model = model;
    this.path = path;
    this.outputPath = outputPath;
    this.options = options;
    this.stages = stages;
    this.memoryBytes = memoryLimit(options, [model]);
    this.runtime = new LazyRuntime(runtimeOptions(options, this.memoryBytes));
    this.#closers = [() => this.runtime.close(), () => this.#hashes.close()];
  }

  /** Calls `close` at the end of the run, however it ends; what was opened last is closed first. */
  onClose(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Starts hashing the files of the model beside other work. */
  hashInput(): void {
    for (const file of this.#inputFiles()) this.#hashes.begin(file);
  }

  /** Writes a model beside the target, under its final name; it goes at the end of the run unless it is committed. */
  async stage(model: Model): Promise<StagedModel> {
    const { options, stages } = this;
    stages.start('write');
    const staged = await stageModel(model, this.outputPath, {
      ...(options.signal ? { signal: options.signal } : {}),
      onProgress: (bytes, total) => stages.advance(bytes, total),
      onFileBytes: (file, bytes) => this.#hashes.advance(file, bytes),
      force: options.dryRun ? true : (options.force ?? false),
    });
    this.onClose(() => staged.discard());
    stages.endWriting(staged.written.sizeBytes);
    return staged;
  }

  /** @param hasRun whether ONNX Runtime had a part in what is reported: then its version belongs to it */
  async reportHeader<Name extends string>(command: Name, hasRun: boolean): Promise<RunHeader<Name>> {
    const onnxRuntimeVersion = hasRun && this.runtime.running ? await this.#onnxRuntimeVersion() : undefined;
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command,
      version: packageVersion(),
      ...(onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion }),
    };
  }

  /** Name, size and hash of the model. */
  inputReport(): Promise<ReportModel> {
    return this.#hashes.model(this.path, this.model.source?.externalPaths() ?? []);
  }

  /** Names, sizes and hashes of the model and of the result. */
  async reportFiles(staged: StagedModel): Promise<{ readonly input: ReportModel; readonly output: ReportModel }> {
    const { stagedPath, stagedDataPath } = staged;
    return {
      input: await this.inputReport(),
      output: await this.#hashes.model(stagedPath, stagedDataPath === undefined ? [] : [stagedDataPath]),
    };
  }

  /** Closes everything, also where closing something fails. @throws the first failure */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #inputFiles(): readonly string[] {
    return [this.path, ...(this.model.source?.externalPaths() ?? [])];
  }

  async #onnxRuntimeVersion(): Promise<string | undefined> {
    try {
      return (await (await this.runtime.host()).request('versions', undefined)).onnxRuntime;
    } catch (error) {
      if (this.options.signal?.aborted) throw error;
      // It could not be started, which those who needed it were told.
      return undefined;
    }
  }
}
