import type { TensorRtReport } from '../../src/report/tensorrt-types.js';
import { mergeLayers, parseLayerInfo, parseLayerProfile } from '../../src/targets/tensorrt/exports.js';
import { parseTrtexecLog } from '../../src/targets/tensorrt/trtexec-log.js';
import { trtexecFixture, trtexecPayload } from '../helpers/fake-trtexec.js';
import { GATED } from './bench-reports.js';

/** An engine of a ResNet on an A100, from the logs and exports among the fixtures. */
export function tensorRtReport(): TensorRtReport {
  const { summary } = parseTrtexecLog(trtexecFixture('trt10.10-pass-summary.log'));
  const info = parseLayerInfo(trtexecPayload('exportLayerInfo.trt8-resnet18-a100-fp16.json', 'layerInfo'));
  const profile = parseLayerProfile(trtexecPayload('exportProfile.trt8-resnet18-a100-fp16.json', 'profile'));
  const [configuration] = GATED.configurations;
  if (!configuration) throw new Error('there is no configuration');
  return {
    schemaVersion: 2,
    command: 'tensorrt',
    version: '0.1.0',
    model: { name: 'resnet18.onnx', sizeBytes: 46_000_000 },
    engine: { name: 'resnet18.plan', sizeBytes: 24_000_000 },
    tensorRtVersion: '10.16.0',
    precision: 'fp16',
    inputs: [{ name: 'input', type: 'float', dims: [-1, 3, 224, 224], symbols: ['batch', null, null, null] }],
    outputs: [{ name: 'logits', type: 'float', dims: [-1, 1000], symbols: ['batch', null] }],
    profiles: [{ inputs: [{ name: 'input', min: [1, 3, 224, 224], opt: [8, 3, 224, 224], max: [32, 3, 224, 224] }] }],
    device: {
      name: 'NVIDIA A100 80GB PCIe',
      computeCapability: '8.0',
      multiprocessors: 108,
      memoryMiB: 80_994,
      computeClockGHz: 1.41,
      memoryClockGHz: 1.512,
    },
    build: { seconds: 41.2, parseSeconds: 0.07 },
    trtexec: ['--onnx=resnet18.onnx', '--saveEngine=resnet18.plan', '--fp16', '--optShapes=input:8x3x224x224'],
    conditions: {
      transfers: false,
      cudaGraph: true,
      spinWait: true,
      streams: 1,
      processes: 3,
      shapes: [{ name: 'input', dims: [8, 3, 224, 224] }],
    },
    summaries: [summary],
    measurement: { ...configuration, label: 'resnet18.plan', executionProviders: ['tensorrt'] },
    layers: mergeLayers(info, profile),
    environment: GATED.environment,
    budgets: GATED.budgets,
    regressions: [],
    verdict: 'pass',
    warnings: ['GPU compute times vary by 5.6 %: clocks change while it runs.'],
    notes: ['The graph was converted to FP16 before TensorRT got it: 20 layers.'],
  };
}
