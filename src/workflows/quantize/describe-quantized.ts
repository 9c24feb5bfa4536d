import { goalBudgets } from '../../gates/search-goals.js';
import { PLACES } from '../../quantize/places.js';
import { searchNotes } from '../../report/search-words.js';
import type { QuantizeReport } from '../../report/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { describeInputs } from '../describe-inputs.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions, type QuantizePlace } from '../options.js';
import type { Produced } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { judgeBudgets } from '../result-budgets.js';
import type { QuantizeWork } from './before-work.js';
import type { QuantizeVerdict } from './check-candidate.js';
import { describeConversion } from './describe-conversion.js';
import { judgeHalf } from './float16/half-warnings.js';
import type { QuantizeCandidate } from './quantize-candidate.js';

/** Places other than this machine, in the words of notes. */
const PLACE_WORDS: Partial<Record<QuantizePlace, string>> = {
  'ort-cuda': "ONNX Runtime's CUDA provider",
  tensorrt: 'TensorRT',
  openvino: 'OpenVINO',
  qnn: 'QNN',
};

/** The report of a quantization; times both models for it. */
export async function describeQuantized(
  run: ModelRun<QuantizeOptions>,
  { runtime, doubts }: QuantizeWork,
  { candidate, verdict, staged }: Produced<QuantizeCandidate, QuantizeVerdict>,
): Promise<QuantizeReport> {
  const { converted, done, tooLarge, fallback } = candidate;
  const { checked, lossyLayers } = verdict;
  const { calibration, repair, weightOnly } = converted;
  const told = describeConversion(
    converted,
    done,
    tooLarge,
    run.options,
    candidate.alternatives.length > 0 ? 'INT8 is slower than FP32 on this machine' : undefined,
  );
  const compared = checked?.comparison ? checked : undefined;
  // ONNX Runtime on this CPU runs this form as no other place does, so its times say nothing of that.
  const place = run.options.for ?? QUANTIZE_DEFAULTS.for;
  const isForeign = done === 'bf16' || done === 'fp8' || (!PLACES[place].runsHere && done === 'static');
  const wantsLatency =
    run.options.minSpeedup !== undefined || (run.options.budgets?.some(({ metric }) => metric === 'speed-up') ?? false);
  const latency = isForeign && !wantsLatency ? undefined : (verdict.latency ?? (await compared?.measure()));
  const header = await run.reportHeader('quantize', runtime !== undefined);
  const files = await run.reportFiles(staged);
  const goals = goalBudgets(run.options, { comparison: compared?.comparison, accuracy: compared?.accuracy });
  const judged = judgeBudgets(
    { ...run.options, budgets: [...(run.options.budgets ?? []), ...goals] },
    {
      file: files.output,
      model: candidate.model,
      comparison: compared?.comparison,
      accuracy: compared?.accuracy,
      latency,
      isOriginal: done === 'none',
      notRun: checked?.reason,
    },
  );
  const described = describeInputs(inputSpecs(run.model), compared?.judging, run.options.reading);
  return {
    ...header,
    requestedMode: run.options.mode ?? QUANTIZE_DEFAULTS.mode,
    mode: done,
    ...files,
    ...told,
    ...(calibration ? { calibration } : {}),
    ...(repair ? { repair } : {}),
    ...(weightOnly && done !== 'none' ? { weightOnly } : {}),
    verification: {
      structure: 'passed',
      // What was loaded and run in BF16 is its emulation.
      loads: done === 'bf16' ? 'skipped' : (checked?.loads ?? 'skipped'),
      runs: compared ? 'passed' : 'skipped',
      ...(checked?.reason === undefined ? {} : { reason: checked.reason }),
      ...(compared ? { comparison: compared.comparison } : {}),
      ...(compared?.half ? { arithmetic: 'emulated half precision' as const } : {}),
      ...(compared && done === 'bf16' ? { arithmetic: 'emulated bfloat16' as const } : {}),
    },
    ...(compared?.accuracy ? { accuracy: compared.accuracy } : {}),
    ...(latency ? { latency } : {}),
    ...(candidate.search ? { search: candidate.search } : {}),
    ...(candidate.alternatives.length > 0 ? { alternatives: candidate.alternatives } : {}),
    ...judged,
    ...described.fields,
    notes: [
      ...told.notes,
      ...searchNotes(candidate),
      ...(verdict.notes ?? []),
      ...described.notes,
      ...(isForeign
        ? [`Made for ${PLACE_WORDS[place] ?? 'TensorRT'}: latency on this CPU says nothing of it and was not measured.`]
        : []),
      ...(done === 'bf16' ? ["ONNX Runtime's CPU provider does not load BF16: the file itself was not run."] : []),
      ...(done === 'fp8'
        ? [
            'To load it in ONNX Runtime, set the graph optimization level to disabled: 1.30 makes INT8 kernels of FP8 pairs.',
          ]
        : []),
    ],
    warnings: [
      ...run.warnings,
      ...doubts,
      ...converted.warnings,
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
      ...(checked?.loads === 'passed' && fallback.warning !== undefined ? [fallback.warning] : []),
      ...(compared && (done === 'fp16' || done === 'bf16')
        ? judgeHalf(compared.comparison, compared.half?.here, lossyLayers, done)
        : []),
      ...judged.warnings,
    ],
  };
}
