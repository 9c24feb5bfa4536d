/** Facts, options and measurements of packages that tests write. */
import { parse } from 'yaml';
import { kubernetesFiles } from '../../src/targets/kubernetes/manifests.js';
import type { Measurements } from '../../src/targets/kubernetes/measurements.js';
import type { KubernetesFacts, ServedModel } from '../../src/targets/kubernetes/options.js';
import { DataType } from '../../src/tensor/dtype.js';
import {
  kubernetesOptions,
  type PackageKubernetesOptions,
} from '../../src/workflows/package/kubernetes/kubernetes-options.js';
import type { KubernetesObject } from './kubernetes-schemas.js';

export const RESNET: ServedModel = {
  name: 'resnet',
  versions: ['1', '2'],
  sizeBytes: 100 * 2 ** 20,
  besideVersions: ['config.pbtxt', 'labels.txt'],
  facts: {
    path: 'resnet.onnx',
    inputs: [{ name: 'image', dataType: DataType.FLOAT, shape: ['N', 3, 32, 32], typeText: 'float[N,3,32,32]' }],
    example: [{ name: 'image', dataType: DataType.FLOAT, shape: [1, 3, 32, 32], element: 1 }],
    outputs: [{ name: 'scores', dataType: DataType.FLOAT, shape: ['N', 10], typeText: 'float[N,10]' }],
    externalFiles: [],
    opset: 17,
    domains: [],
  },
};

export function factsOf(kind: KubernetesFacts['kind'], model: ServedModel = RESNET): KubernetesFacts {
  const sourceName = { model: 'resnet.onnx', repository: 'models', archive: 'resnet.mar' }[kind];
  return { kind, sourceName, name: model.name, models: [model] };
}

export const MEASURED: Measurements = {
  kind: 'measured',
  source: 'report resnet.bench.json',
  threads: 2,
  cpu: 'Example CPU',
  onnxRuntimeVersion: '1.30.0',
  models: [
    {
      model: 'resnet',
      sessionMs: 820,
      firstRunMs: 41,
      starts: 5,
      modelBytes: 230 * 2 ** 20,
      p50Ms: 12.3,
      tailMs: 30.1,
      tailName: 'p99',
      inputs: ['float[1,3,32,32]'],
    },
  ],
};

/** The files of a package, and its objects. */
export function packageOf(
  given: PackageKubernetesOptions,
  facts: KubernetesFacts = factsOf(given.server === 'torchserve' ? 'archive' : 'repository'),
  measurements: Measurements = MEASURED,
): { readonly files: ReadonlyMap<string, string>; readonly objects: readonly KubernetesObject[] } {
  const { files } = kubernetesFiles(facts, kubernetesOptions(given, 'triton'), measurements);
  const texts = new Map(files.map((file) => [file.path, file.text]));
  const objects = [...texts]
    .filter(([path]) => path.endsWith('.yaml') && path !== 'kustomization.yaml')
    .map(([, text]) => parse(text, { version: '1.1' }) as KubernetesObject);
  return { files: texts, objects };
}
