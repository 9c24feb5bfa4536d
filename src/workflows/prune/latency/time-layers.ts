import { ServeOptError } from '../../../errors.js';
import { Model } from '../../../ir/model.js';
import { tensorType } from '../../../ir/type.js';
import type { LayerModel } from '../../../prune/layer-model.js';
import type { RuntimeHost } from '../../../runtime/host.js';
import { SESSIONS, withOptions } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import { inputSpecs } from '../../../samples/value-specs.js';
import { DataType } from '../../../tensor/dtype.js';
import type { InContext, PruneOptions } from '../../options.js';
import type { Stages } from '../../stages.js';
import { CandidateFiles } from '../../workbench/candidate-files.js';
import { sessionOptions } from '../../workbench/execution-session.js';
import { withSession } from '../../workbench/with-session.js';

/** Each layer is timed as often, in turns with all others: the clock of a machine drifts more than layers differ. */
const TURNS = 2;
/** Runs of a layer in one turn, and the time that they may take. */
const LIMITS = { minRuns: 12, maxMs: 60 } as const;

/**
 * Times layers by themselves: the shortest of the medians of a few turns, in ms, less what a run of a model that does nothing
 * takes. Layers that ONNX Runtime refuses alone are left out.
 */
export async function timeLayers(
  layers: readonly LayerModel[],
  runtime: RuntimeHost,
  options: InContext<PruneOptions>,
  stages: Stages,
): Promise<ReadonlyMap<string, number>> {
  const session = withOptions(SESSIONS.timed, sessionOptions(options));
  const total = TURNS * layers.length;
  stages.start('time layers', total);
  const found = new Map<string, number>();
  let idleMs = Number.POSITIVE_INFINITY;
  await withWorkFolder(async (folder) => {
    const files = new CandidateFiles(folder);
    const time = (model: Model): Promise<number> =>
      files.try(model, (path) =>
        withSession(runtime, path, session, async (id) => {
          const source = { kind: 'seeded', seed: 0, count: 1 } as const;
          const { latencies } = await runtime.request('latency', {
            sessions: [id],
            source,
            inputs: inputSpecs(model),
            ...LIMITS,
          });
          return latencies[0]?.p50Ms ?? Number.POSITIVE_INFINITY;
        }),
      );
    for (let turn = 0, done = 0; turn < TURNS; turn++) {
      idleMs = Math.min(idleMs, await time(idleModel()));
      for (const { model, signature } of layers) {
        options.signal?.throwIfAborted();
        try {
          found.set(signature, Math.min(found.get(signature) ?? Number.POSITIVE_INFINITY, await time(model)));
        } catch (error) {
          if (!(error instanceof ServeOptError) || (error.code !== 'SO5001' && error.code !== 'SO5002')) throw error;
        }
        stages.advance(++done, total);
      }
    }
  });
  stages.end(`${found.size} widths of layers`);
  return new Map([...found].map(([signature, ms]) => [signature, Math.max(ms - idleMs, 0.02 * ms)]));
}

/** A model that hands its input on. */
function idleModel(): Model {
  const model = new Model('idle');
  model.setOpset('', 13);
  const input = model.graph.newValue('input', tensorType(DataType.FLOAT, [1]));
  model.graph.addInput(input);
  const node = model.graph.addNode({ opType: 'Identity', inputs: [input], outputs: [{ name: 'output' }] });
  model.graph.addOutput(node.output());
  return model;
}
