import type { Model } from '../../ir/model.js';
import { readModel } from '../../ir/read-model.js';
import { formatType } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { declaredType } from '../../ops/infer-types.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { withWorkFolder } from '../../runtime/work-folder.js';

/** What callers of a model rely on: names, order, types and shapes of inputs they must give and outputs they get. */
export interface ModelInterface {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** The interface as the file declares it; inputs with a default are left out. */
export function interfaceOf(model: Model): ModelInterface {
  const describe = (value: Value): string => `"${value.name}": ${formatType(declaredType(value))}`;
  return {
    inputs: model.graph.inputs.filter((value) => !value.tensor && !value.sparse).map(describe),
    outputs: model.graph.outputs.map(describe),
  };
}

/** The interface that a model would have when it is written and read again. */
export function writtenInterface(model: Model): Promise<ModelInterface> {
  return withWorkFolder(async (folder) => {
    const written = await readModel(await writeRunnable(model, folder), { allowLinks: true });
    try {
      return interfaceOf(written);
    } finally {
      written.source?.close();
    }
  });
}

/** Why two interfaces are not the same; undefined when they are. */
export function whyInterfaceDiffers(wanted: ModelInterface, given: ModelInterface): string | undefined {
  for (const [kind, before, after] of [
    ['input', wanted.inputs, given.inputs],
    ['output', wanted.outputs, given.outputs],
  ] as const) {
    if (before.length !== after.length) return `it has ${after.length} ${kind}s instead of ${before.length}`;
    const index = before.findIndex((text, at) => text !== after[at]);
    if (index >= 0) return `its ${kind} ${index + 1} is ${after[index]} instead of ${before[index]}`;
  }
  return undefined;
}
