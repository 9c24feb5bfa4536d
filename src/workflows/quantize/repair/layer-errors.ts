import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../passes/nodes.js';
import { markedNodes, quantizedLayers } from '../../../quantize/repair/quantized-layer.js';
import type { LayerErrorReport } from '../../../report/repair-types.js';
import { writeRunnable } from '../../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import { withContrasts } from '../../workbench/contrasts.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { withOutputs } from './judged-model.js';
import type { RepairState, RepairTools } from './repair-state.js';

/** The outputs of all layers of one sample may be as large as the model, so that a few samples have to do. */
const MOST_SAMPLES = 8;
/** Most time for running the FLOAT model on them, in ms. */
const REFERENCE_MS = 20_000;

/** Whether ONNX Runtime refuses a model, or fails to run it. */
export function isRefusal(error: unknown): error is ServeOptError {
  return error instanceof ServeOptError && (error.code === 'SO5001' || error.code === 'SO5002');
}

/**
 * Signal to noise of the outputs of every INT8 layer before the repair and after it. Factors of channels change what a layer gives in FLOAT
 * too, so each is held against the FLOAT model that it was made of.
 * @returns undefined where ONNX Runtime does not run a model with the outputs of its layers shown
 */
export async function layerErrors(
  initial: RepairState,
  final: RepairState,
  source: SampleSource,
  tools: RepairTools,
): Promise<LayerErrorReport[] | undefined> {
  try {
    const before = await sqnrOfLayers(initial, source, tools);
    const after = final === initial ? new Map<string, number>() : await sqnrOfLayers(final, source, tools);
    const layers = new Map([...intLayers(initial), ...intLayers(final)]);
    return [...layers]
      .sort(([a], [b]) => Number.parseFloat(a) - Number.parseFloat(b))
      .map(([mark, node]) => {
        const [sqnrBeforeDb, sqnrAfterDb] = [before.get(mark), after.get(mark)];
        return {
          name: nodeLabel(node),
          opType: node.opType,
          ...(sqnrBeforeDb === undefined ? {} : { sqnrBeforeDb }),
          ...(sqnrAfterDb === undefined ? {} : { sqnrAfterDb }),
        };
      });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

/** FLOAT nodes of the layers that are INT8, by their marks. */
function intLayers({ reference, quantized }: Pick<RepairState, 'reference' | 'quantized'>): Map<string, Node> {
  return new Map(quantizedLayers(reference, quantized).map(({ mark, layer }) => [mark, layer.node]));
}

async function sqnrOfLayers(
  { reference, quantized }: RepairState,
  source: SampleSource,
  { runtime, options }: RepairTools,
): Promise<Map<string, number>> {
  const marks = [...intLayers({ reference, quantized }).keys()];
  const names = new Map(marks.map((mark, at) => [`layer_${at}`, mark]));
  const shown = (model: Model): Model =>
    withOutputs(model, (copy) => {
      const nodes = markedNodes(copy);
      return [...names].flatMap(([name, mark]) => {
        const node = nodes.get(mark);
        return node ? [[name, node.output()] as const] : [];
      });
    });
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(shown(reference), folder);
    const session = withOptions(SESSIONS.compared, sessionOptions(options));
    const inputs = inputSpecs(reference);
    const original = { path, source, inputs, samples: MOST_SAMPLES, maxMs: REFERENCE_MS, session };
    const differences = await withContrasts(runtime, original, (contrasts) =>
      contrasts.contrast(shown(quantized), session),
    );
    return new Map(
      differences.flatMap(({ name, sqnrDb }) => {
        const mark = names.get(name);
        return mark === undefined || sqnrDb === undefined || Number.isNaN(sqnrDb) ? [] : [[mark, sqnrDb] as const];
      }),
    );
  });
}
