import { createHash } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkSpace } from '../../codec/atomic-file.js';
import { ResumableFolder } from '../../codec/resumable-folder.js';
import { entryBytes } from '../../codec/safetensors/safetensors-types.js';
import { outputError } from '../../codec/system-error.js';
import { ServeOptError } from '../../errors.js';
import { matchesGlob } from '../../passes/node-filter.js';
import type { LinearError } from '../../quantize/linear-weights.js';
import type { CheckpointReport } from '../../report/checkpoint-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import { suggest } from '../../suggest.js';
import {
  type CheckpointMode,
  type CheckpointScheme,
  checkpointScheme,
  GROUP_SIZES,
  quantizationConfig,
} from '../../targets/vllm/checkpoint-schemes.js';
import { chooseLayers, type LayerChoice } from '../../targets/vllm/linear-layers.js';
import { packageVersion } from '../../version.js';
import type { InContext, WorkflowContext } from '../options.js';
import { Stages } from '../stages.js';
import type { CheckpointOptions, CheckpointWork } from './checkpoint-work.js';
import { withQuantization } from './config-text.js';
import { describeCheckpoint } from './describe-checkpoint.js';
import { planShards, resultBytes } from './plan-shard.js';
import { readBack } from './read-back.js';
import { type Checkpoint, checkpointFacts, INDEX, openCheckpoint } from './read-checkpoint.js';
import { type DoneTensor, writeShard } from './write-shard.js';

export const CHECKPOINT_DEFAULTS = { mode: 'w8a8' } as const;

/**
 * Quantizes a Hugging Face checkpoint for vLLM, in the form of compressed-tensors: weights are rounded to the nearest code, with a scale
 * for each output or group of inputs; no data is needed. Files are streamed; memory does not grow with them. A run that was
 * interrupted goes on where it was when the same command is given again.
 * @throws SO2021…SO2024 for a folder that cannot be used, SO3561 where nothing can be quantized, SO3562 for weights that are no
 *   numbers, SO1005 where the output exists, SO6001; nothing is at the output path then
 */
export async function quantizeCheckpoint(
  folder: string,
  options: CheckpointOptions = {},
  context: WorkflowContext = {},
): Promise<CheckpointReport> {
  const mode = options.mode ?? CHECKPOINT_DEFAULTS.mode;
  const scheme = checkpointScheme(mode, groupSizeOf(mode, options.block));
  const outputPath = resolve(options.outputPath ?? checkpointOutputPath(folder, mode));
  const stages = new Stages(context);
  const checkpoint = openCheckpoint(folder);
  try {
    refuseOutput(outputPath, folder, options);
    refuseConv1d(checkpoint);
    const choice = choose(checkpoint, scheme, options);
    const plans = planShards(checkpoint.shards, choice, scheme);
    const work = { checkpoint, mode, scheme, choice, plans, outputPath };
    return await run(work, { ...options, ...context }, stages);
  } finally {
    checkpoint.close();
  }
}

/** Where a result goes when the caller does not say: beside the checkpoint, named for the mode. */
export function checkpointOutputPath(folder: string, mode: CheckpointMode): string {
  return `${folder.replace(/[\\/]+$/, '')}-${mode}`;
}

async function run(
  work: CheckpointWork,
  options: InContext<CheckpointOptions>,
  stages: Stages,
): Promise<CheckpointReport> {
  const { choice, outputPath, plans } = work;
  const header = { schemaVersion: REPORT_SCHEMA_VERSION, version: packageVersion() } as const;
  const errors = new Map<string, LinearError>();
  const note = ({ tensor, error }: DoneTensor): void => {
    if (error) errors.set(tensor, error);
  };
  if (options.dryRun) {
    await writeAll(work, options, stages, undefined, new Set(), note);
    return {
      ...header,
      ...describeCheckpoint(work, errors, { written: false, resumed: false, rowsReadBack: 0, files: [] }),
    };
  }
  checkSpace(outputPath, dirname(outputPath), resultBytes(plans));
  const target = ResumableFolder.open(outputPath, keyOf(work, options));
  let isKept = false;
  try {
    const earlier = target.earlier.map((line) => JSON.parse(line) as DoneTensor);
    earlier.forEach(note);
    const done = new Set(earlier.map(({ tensor }) => tensor));
    await writeAll(work, options, stages, target, done, note);
    stages.start('check');
    let rowsReadBack = 0;
    for (const plan of plans) rowsReadBack += readBack(plan, target.stagedPath('.'), work.scheme);
    await writeSmallFiles(work, target);
    stages.end(`${rowsReadBack} rows read back`);
    const files = listFiles(work, target);
    const written = { written: true, resumed: target.earlier.length > 0, rowsReadBack, files };
    const report = { ...header, ...describeCheckpoint(work, errors, written) };
    if (options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    target.commit(options.force ?? false);
    return report;
  } catch (error) {
    isKept = options.signal?.aborted === true && errors.size > 0;
    throw isKept ? interrupted(target, choice.quantized.length, errors.size) : error;
  } finally {
    if (isKept) target.keep();
    else target.discard();
  }
}

async function writeAll(
  { plans, scheme, outputPath }: CheckpointWork,
  { signal }: InContext<CheckpointOptions>,
  stages: Stages,
  target: ResumableFolder | undefined,
  done: ReadonlySet<string>,
  note: (done: DoneTensor) => void,
): Promise<void> {
  const totalBytes = plans.reduce((sum, { shard }) => sum + shard.source.sizeBytes, 0);
  let doneBytes = 0;
  stages.start('quantize', totalBytes);
  for (const plan of plans) {
    await writeShard(plan, {
      scheme,
      path: target?.stagedPath(plan.shard.name),
      target: outputPath,
      done,
      signal,
      onBytes: (bytes) => {
        doneBytes += bytes;
        stages.advance(doneBytes, totalBytes);
      },
      onDone: (tensors) => {
        tensors.forEach(note);
        target?.append(tensors.map((each) => JSON.stringify(each)));
      },
    });
  }
  stages.endWriting(resultBytes(plans));
}

async function writeSmallFiles(
  { checkpoint, scheme, choice, plans }: CheckpointWork,
  target: ResumableFolder,
): Promise<void> {
  const { folder, configText, indexMetadata, otherFiles } = checkpoint;
  try {
    for (const name of otherFiles) await copyFile(join(folder, name), target.stagedPath(name));
    if (indexMetadata) {
      const tensors = plans.flatMap(({ shard, layout }) =>
        [...layout.tensors.values()].map((tensor) => [tensor, shard.name] as const),
      );
      tensors.sort(([a], [b]) => (a.name < b.name ? -1 : 1));
      const totalSize = tensors.reduce((sum, [tensor]) => sum + entryBytes(tensor), 0);
      const index = {
        metadata: { ...indexMetadata, total_size: totalSize },
        weight_map: Object.fromEntries(tensors.map(([{ name }, file]) => [name, file])),
      };
      writeFileSync(target.stagedPath(INDEX), `${JSON.stringify(index, undefined, 2)}\n`, { flush: true });
    }
    const ignore = choice.left.filter(({ isLinear }) => isLinear).map(({ module }) => module);
    // It may share its matrix with the embeddings and have no tensor of its own.
    const quantization = quantizationConfig(scheme, [...new Set([...ignore, 'lm_head'])]);
    writeFileSync(target.stagedPath('config.json'), withQuantization(configText, quantization), { flush: true });
  } catch (cause) {
    throw outputError(target.path, cause);
  }
}

function listFiles({ checkpoint, plans }: CheckpointWork, target: ResumableFolder): CheckpointReport['files'] {
  const names = [
    'config.json',
    ...(checkpoint.indexMetadata ? [INDEX] : []),
    ...plans.map(({ shard }) => shard.name),
    ...checkpoint.otherFiles,
  ];
  return names.sort().map((path) => ({ path, sizeBytes: statSync(target.stagedPath(path)).size }));
}

function choose(checkpoint: Checkpoint, scheme: CheckpointScheme, options: CheckpointOptions): LayerChoice {
  const entries = checkpoint.shards.flatMap(({ header }) => [...header.tensors.values()]);
  const modules = entries
    .filter(({ name, shape }) => shape.length === 2 && name.endsWith('.weight'))
    .map(({ name }) => name.slice(0, -'.weight'.length));
  for (const pattern of [...(options.include ?? []), ...(options.exclude ?? [])]) {
    if (modules.some((module) => matchesGlob(module, pattern))) continue;
    const near = suggest(pattern, modules);
    throw new ServeOptError('SO1003', `No module is called "${pattern}"`, {
      hint:
        near === undefined ? `for example --exclude '${modules[0] ?? 'model.layers.0.*'}'` : `did you mean ${near}?`,
    });
  }
  const means = (patterns: readonly string[], module: string): boolean =>
    patterns.some((pattern) => matchesGlob(module, pattern));
  const { include = [], exclude = [] } = options;
  const choice = chooseLayers(entries, scheme, checkpointFacts(checkpoint), (module) => {
    if (means(exclude, module)) return 'it is excluded';
    return include.length > 0 && !means(include, module) ? 'it is not included' : undefined;
  });
  if (choice.quantized.length > 0) return choice;
  const [first] = choice.left;
  throw new ServeOptError('SO3561', `Nothing in "${checkpoint.folder}" can be quantized`, {
    why: first === undefined ? 'it has no matrix of a linear layer' : `of "${first.module}": ${first.reason}`,
    location: { file: checkpoint.folder },
  });
}

/** Equal for runs that write the same bytes. */
function keyOf({ checkpoint, mode, scheme, choice }: CheckpointWork, { include, exclude }: CheckpointOptions): string {
  const files = checkpoint.shards.map(({ name, source }) => {
    const { mtimeNs, size } = statSync(source.path ?? '', { bigint: true });
    return [name, String(size), String(mtimeNs)];
  });
  const said = [
    packageVersion(),
    resolve(checkpoint.folder),
    mode,
    scheme,
    include,
    exclude,
    choice,
    files,
    checkpoint.configText,
  ];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

function groupSizeOf(mode: CheckpointMode, block: number | undefined): number | undefined {
  if (block === undefined) return undefined;
  if (mode !== 'w4a16') {
    throw new ServeOptError('SO1002', `--block and --mode ${mode} contradict each other`, {
      why: 'only w4a16 has groups of inputs; the others have a scale for each output',
      hint: 'leave --block out',
    });
  }
  if ((GROUP_SIZES as readonly number[]).includes(block)) return block;
  throw new ServeOptError('SO1006', `The value "${block}" of --block is not allowed`, {
    why: `vLLM has kernels for groups of ${GROUP_SIZES.join(', ')}`,
    hint: 'write --block 128',
  });
}

function refuseOutput(outputPath: string, folder: string, { force, dryRun }: CheckpointOptions): void {
  const input = resolve(folder);
  if (outputPath === input || outputPath.startsWith(`${input}/`)) {
    throw new ServeOptError('SO1004', 'The output is in the checkpoint that is read', {
      hint: `write -o ${input}-quantized`,
      location: { file: outputPath },
    });
  }
  const parent = statSync(dirname(outputPath), { throwIfNoEntry: false });
  if (!parent?.isDirectory()) {
    throw new ServeOptError('SO6001', `Cannot write "${outputPath}": its folder does not exist`, {
      hint: `mkdir -p ${dirname(outputPath)}`,
      location: { file: outputPath },
    });
  }
  const stat = statSync(outputPath, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory()) {
    throw new ServeOptError('SO1005', `The output "${outputPath}" is a file`, {
      hint: 'give the path of a folder with -o',
      location: { file: outputPath },
    });
  }
  if (stat && !force && !dryRun) {
    throw new ServeOptError('SO1005', `The output "${outputPath}" already exists`, { location: { file: outputPath } });
  }
}

/** Models of transformers whose layers are Conv1D: stored the other way round, and no Linear that vLLM would look for. */
const CONV1D_MODELS: ReadonlySet<string> = new Set(['gpt2', 'openai-gpt', 'decision_transformer', 'imagegpt']);

function refuseConv1d({ config, folder }: Checkpoint): void {
  const type = config.model_type;
  if (typeof type !== 'string' || !CONV1D_MODELS.has(type)) return;
  throw new ServeOptError('SO3561', `Nothing in "${folder}" can be quantized`, {
    why: `layers of ${type} are Conv1D, of which compressed-tensors has no form; it quantizes Linear`,
    hint: 'export it to ONNX, and quantize that',
    location: { file: folder },
  });
}

function interrupted(target: ResumableFolder, layers: number, done: number): ServeOptError {
  return new ServeOptError('SO8130', 'Interrupted', {
    why: `${done} of ${layers} layers are done, and kept in "${basename(target.partial)}"`,
    hint: 'give the same command again to go on from there, or remove that folder',
  });
}
