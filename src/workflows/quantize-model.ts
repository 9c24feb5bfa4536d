import { ServeOptError } from '../errors.js';
import type { QuantizeReport } from '../report/types.js';
import type { QuantizeOptions, WorkflowContext } from './options.js';
import type { ModelCommand } from './produce/model-command.js';
import { produceModel } from './produce/produce-model.js';
import { prepareQuantize, type QuantizeWork } from './quantize/before-work.js';
import { checkCandidate, type QuantizeVerdict } from './quantize/check-candidate.js';
import { describeQuantized } from './quantize/describe-quantized.js';
import { convertSurviving, type QuantizeCandidate } from './quantize/quantize-candidate.js';
import type { FormClock } from './quantize/search/form-times.js';
import { settleFirst } from './quantize/search/settle-accuracy.js';
import { checkWeightOptions } from './quantize/weight-only/check-weights.js';
import { isWeightMode } from './weight-only-options.js';

/**
 * Quantizes a model file: converts, writes, loads both models in ONNX Runtime, compares and times them, and only then
 * lets the output appear, with a JSON report beside it.
 * @throws ServeOptError; the output path then holds what it held before
 */
export async function quantizeModel(
  path: string,
  options: QuantizeOptions = {},
  context: WorkflowContext = {},
): Promise<QuantizeReport> {
  return produceModel(path, await withSchemeFile(options), context, quantizeCommand());
}

/** Options with the schemes of their file. @throws SO1002 beside schemes that are given as data */
async function withSchemeFile(options: QuantizeOptions): Promise<QuantizeOptions> {
  const { schemePath, schemes } = options;
  if (schemePath === undefined) return options;
  if (schemes !== undefined) throw new ServeOptError('SO1002', 'schemes and schemePath cannot be used together');
  const { readSchemeFile } = await import('./quantize/schemes/scheme-file.js');
  return { ...options, schemes: readSchemeFile(schemePath) };
}

/** The parts of `quantize`. @param clock times forms beside the original; another one in tests */
export function quantizeCommand(
  clock?: FormClock,
): ModelCommand<QuantizeOptions, QuantizeReport, QuantizeWork, QuantizeCandidate, QuantizeVerdict> {
  return {
    name: 'quantize',
    tag: ({ mode }) => (mode === 'fp16' || mode === 'bf16' || mode === 'fp8' || isWeightMode(mode) ? mode : 'int8'),
    samplePaths: ({ dataPath, evalPath }) => [dataPath, evalPath].filter((path) => path !== undefined),
    checkOptions: checkWeightOptions,
    prepare: prepareQuantize,
    make: async (run, work) => settleFirst(run, work, await convertSurviving(run, work, {})),
    check: (run, work, candidate, staged) => checkCandidate(run, work, candidate, staged, clock),
    describe: describeQuantized,
  };
}
