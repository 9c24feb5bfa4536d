import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import type { ReportModel } from '../../report/types.js';
import type { SessionOptions } from '../../runtime/types.js';
import { batchNames } from '../../samples/batch-names.js';
import type { Sizes } from '../../samples/sized-inputs.js';
import type { ValueSpec } from '../../samples/types.js';
import { withSizes } from '../preflight/input-sizes.js';

/** A model file that is measured. */
export interface BenchModel {
  readonly path: string;
  readonly model: Model;
  readonly inputs: readonly ValueSpec[];
  readonly report: ReportModel;
  /** Warnings about rules of ONNX that it breaks. */
  readonly invalid?: readonly string[];
}

/** Execution providers of one configuration, as written and as a session takes them. */
export interface BenchProvider {
  readonly text: string;
  /** Names alone, first choice first, for reports. */
  readonly names: readonly string[];
  readonly executionProviders: NonNullable<SessionOptions['executionProviders']>;
}

/** One thing to measure. */
export interface Configuration {
  /** Unique among its peers; says only what differs. */
  readonly label: string;
  readonly model: BenchModel;
  readonly provider: BenchProvider;
  /** Undefined leaves it to the machine. */
  readonly threads: number | undefined;
  /** Rows of a run as asked for. */
  readonly batch: number | undefined;
  /** Sizes as asked for, the batch among them. */
  readonly sizes: Sizes;
  /** The model's inputs with these sizes. */
  readonly inputs: readonly ValueSpec[];
}

/** What is to be combined. */
export interface Axes {
  readonly models: readonly BenchModel[];
  readonly providers: readonly BenchProvider[];
  readonly threads: readonly number[];
  readonly batch: readonly number[];
  readonly dims: ReadonlyMap<string, readonly number[]>;
}

/** More than this is a mistake, or a night's work that should be split. */
const MOST_CONFIGURATIONS = 500;

/**
 * Every combination, in the order of the command line.
 * @throws SO1006 for a dimension that a model lacks, SO4002 for a size that it does not allow, SO2104 for too many
 */
export function planConfigurations(axes: Axes): Configuration[] {
  const names = modelNames(axes.models);
  const sizes = combinations([...axes.dims]);
  const threads: readonly (number | undefined)[] = axes.threads.length > 0 ? axes.threads : [undefined];
  const batches: readonly (number | undefined)[] = axes.batch.length > 0 ? axes.batch : [undefined];
  const count = axes.models.length * axes.providers.length * threads.length * batches.length * sizes.length;
  if (count > MOST_CONFIGURATIONS) {
    throw new ServeOptError(
      'SO2104',
      `${count} configurations are too many: at most ${MOST_CONFIGURATIONS} are measured`,
      {
        hint: 'leave some values out',
      },
    );
  }
  const planned: Configuration[] = [];
  for (const [index, model] of axes.models.entries())
    for (const provider of axes.providers)
      for (const threadCount of threads)
        for (const batch of batches)
          for (const chosen of sizes) {
            const all = new Map(chosen);
            for (const [name, size] of batchSizes(model, batch, chosen)) all.set(name, size);
            const parts = [
              ...(axes.models.length > 1 ? [names[index] ?? model.report.name] : []),
              ...(axes.providers.length > 1 ? [provider.text] : []),
              ...(threads.length > 1 && threadCount !== undefined
                ? [`${threadCount} thread${threadCount === 1 ? '' : 's'}`]
                : []),
              ...(batches.length > 1 && batch !== undefined ? [`batch=${batch}`] : []),
              ...[...chosen].flatMap(([name, size]) =>
                (axes.dims.get(name)?.length ?? 0) > 1 ? [`${name}=${size}`] : [],
              ),
            ];
            planned.push({
              label: parts.length > 0 ? parts.join(' ') : model.report.name,
              model,
              provider,
              threads: threadCount,
              batch: batch ?? batchOf(model, chosen),
              sizes: all,
              inputs: withSizes(model.inputs, all),
            });
          }
  return planned;
}

/** Sizes that `--batch` means for a model. @throws SO4002 where its batch is fixed at another size */
function batchSizes(model: BenchModel, batch: number | undefined, chosen: Sizes): [string, number][] {
  if (batch === undefined) return [];
  const names = batchNames(model.inputs);
  const known = names.find((name) => chosen.has(name));
  if (known !== undefined && chosen.get(known) !== batch) {
    throw new ServeOptError(
      'SO1002',
      `--batch ${batch} and --dim ${known}=${chosen.get(known)} contradict each other`,
      {
        hint: 'leave one of them out',
      },
    );
  }
  if (names.length > 0) return names.map((name) => [name, batch]);
  const fixed = model.inputs.find(({ shape }) => shape !== undefined && shape.length > 1)?.shape?.[0];
  if (fixed === batch) return [];
  throw new ServeOptError(
    'SO4002',
    `The batch size of ${model.report.name} is fixed${fixed === undefined ? '' : ` at ${fixed}`}`,
    {
      why: `--batch ${batch} needs inputs whose first dimension is open`,
      hint: 'serve-opt optimize MODEL --dynamic batch opens it where the graph allows it',
    },
  );
}

function batchOf(model: BenchModel, chosen: Sizes): number | undefined {
  for (const name of batchNames(model.inputs)) {
    const size = chosen.get(name);
    if (size !== undefined) return size;
  }
  return undefined;
}

/** File names; with a number where two are alike. */
function modelNames(models: readonly BenchModel[]): string[] {
  const seen = new Map<string, number>();
  const total = new Map<string, number>();
  for (const { report } of models) total.set(report.name, (total.get(report.name) ?? 0) + 1);
  return models.map(({ report: { name } }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return (total.get(name) ?? 0) > 1 ? `${name} (${count})` : name;
  });
}

function combinations(dims: readonly (readonly [string, readonly number[]])[]): Map<string, number>[] {
  let all: Map<string, number>[] = [new Map()];
  for (const [name, sizes] of dims) all = all.flatMap((chosen) => sizes.map((size) => new Map(chosen).set(name, size)));
  return all;
}
