import { MODEL_CONFIG, type ModelConfig } from '../../../proto/model-config.js';
import { parseText, type TextPositions, type TextProblem } from '../../../proto/text-format.js';
import { type EffectiveModel, effectiveModel } from './effective-model.js';
import type { ConfigFacts, ModelFolderFacts, OnnxFacts } from './facts.js';
import type { Findings } from './findings.js';
import { batches, completedTensor } from './onnx-completion.js';
import type { RuleId } from './rules.js';
import { type ServedTensor, servedTensor } from './view-tensors.js';

/** What Triton sets max_batch_size to where it completes it. */
const COMPLETED_MAX_BATCH = 4;

/** One configuration of a model beside its folder, and where findings about it go. */
export class ModelView {
  readonly folder: ModelFolderFacts;
  readonly configFile: ConfigFacts | undefined;
  /** Empty where there is none, or where it cannot be read. */
  readonly config: ModelConfig;
  readonly problems: readonly TextProblem[];
  readonly notices: readonly TextProblem[];
  /** What Triton makes of the configuration before it looks at the model. */
  readonly effective: EffectiveModel;
  readonly #positions: TextPositions | undefined;
  readonly #findings: Findings;

  constructor(folder: ModelFolderFacts, configFile: ConfigFacts | undefined, findings: Findings) {
    this.folder = folder;
    this.configFile = configFile;
    this.#findings = findings;
    const bytes = configFile?.bytes;
    const parsed = bytes === undefined ? undefined : parseText(MODEL_CONFIG, 'ModelConfig', bytes);
    this.config = parsed?.ok ? parsed.message : {};
    this.problems = parsed === undefined || parsed.ok ? [] : parsed.problems;
    this.notices = parsed?.ok ? parsed.notices : [];
    this.#positions = parsed?.ok ? parsed.positions : undefined;
    this.effective = effectiveModel(this.config, folder);
  }

  /** The ONNX file of a version that is loaded; undefined for other backends, and where there is none. */
  onnxOf(version: bigint): OnnxFacts | undefined {
    const { backend, file } = this.effective;
    if (backend !== 'onnxruntime' || file === undefined) return undefined;
    const path = `${version}/${file}`;
    return this.folder.onnx.get(path) ?? this.folder.onnx.get(`${path}/model.onnx`);
  }

  /** The model that Triton completes the configuration from: its newest version. */
  get #newest(): OnnxFacts | undefined {
    const [version] = this.effective.versions.loaded;
    const facts = version === undefined ? undefined : this.onnxOf(version);
    return facts?.problem === undefined ? facts : undefined;
  }

  /** Whether the backend may complete inputs, outputs and max_batch_size from the model. */
  get isCompleted(): boolean {
    const { input = [], batch_input: batch = [], output = [] } = this.config;
    return !this.effective.isEnsemble && (input.length + batch.length === 0 || output.length === 0);
  }

  /** Whether max_batch_size is not the one of the text. */
  get isMaxBatchCompleted(): boolean {
    return this.isCompleted && (this.config.max_batch_size ?? 0) === 0;
  }

  /** As it is after the completion. */
  get maxBatchSize(): number {
    const given = this.config.max_batch_size ?? 0;
    const facts = this.#newest;
    return this.isMaxBatchCompleted && facts !== undefined && batches(facts) ? COMPLETED_MAX_BATCH : given;
  }

  /** Inputs after the completion; undefined where only the backend knows them. */
  get inputs(): readonly ServedTensor[] | undefined {
    const { input = [], batch_input: batch = [] } = this.config;
    if (input.length + batch.length > 0 || this.effective.isEnsemble) return input.map(servedTensor);
    return this.#newest?.inputs.map((tensor) => completedTensor(tensor, this.maxBatchSize));
  }

  /** Outputs after the completion; undefined where only the backend knows them. */
  get outputs(): readonly ServedTensor[] | undefined {
    const { output = [] } = this.config;
    if (output.length > 0 || this.effective.isEnsemble) return output.map(servedTensor);
    return this.#newest?.outputs.map((tensor) => completedTensor(tensor, this.maxBatchSize));
  }

  get name(): string {
    return this.folder.name;
  }

  /** Whether the configuration was read, or there is none to read: only then does it mean something. */
  get isReadable(): boolean {
    return this.problems.length === 0 && this.configFile?.unreadable === undefined;
  }

  /** Whether the text has a field. */
  has(field: string): boolean {
    return this.#positions?.has(field) ?? false;
  }

  /** A finding at a field of the configuration; at the folder where there is none. */
  at(rule: RuleId, field: string, what: string, fix?: string): void {
    const position = this.#positions?.at(field);
    const path = this.configFile === undefined ? '' : this.configFile.path;
    this.#findings.add(rule, this.path(path), what, fix, position);
  }

  /** A finding at a place of the text. */
  atText(rule: RuleId, { line, column }: TextProblem, what: string, fix?: string): void {
    this.#findings.add(rule, this.path(this.configFile?.path ?? ''), what, fix, { line, column });
  }

  /** A finding at a file or folder of the model. */
  on(rule: RuleId, path: string, what: string, fix?: string): void {
    this.#findings.add(rule, this.path(path), what, fix);
  }

  /** A path of the folder, relative to what is checked. */
  path(inside: string): string {
    return [this.folder.path, inside].filter((part) => part !== '').join('/');
  }

  get hasErrors(): boolean {
    return this.#findings.hasErrorsIn(this.folder.path);
  }
}
