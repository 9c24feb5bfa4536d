import { binaryOnly, nestedBody, printedRequest, type RequestTensor, v2Body } from '../example-request.js';
import type { ModelFacts } from '../model-facts.js';
import { shellWord } from '../shell-word.js';
import { TRITON_TYPES } from '../triton/data-types.js';
import type { Deployed } from './deployed.js';
import { onlyModel } from './deployed.js';
import { cell, code } from './markdown.js';
import { measuredSection } from './readme-measured.js';
import { fillCommands, todoSection } from './readme-todo.js';

/** `README.md`: what must be filled in, how to apply and call it, and where the figures come from. @param marker first words, by which the file is known as ours */
export function readme(deployed: Deployed, resources: readonly string[], marker: string): string {
  const sections = [
    `<!-- ${marker}. -->\n# ${cell(deployed.facts.name)} on Kubernetes`,
    intro(deployed),
    todoSection(deployed),
    fillSection(deployed),
    applySection(deployed),
    requestSection(deployed),
    routeSection(deployed),
    measuredSection(deployed),
    filesSection(resources),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function intro({ facts, options, traits }: Deployed): string {
  const names = facts.models.map(({ name }) => code(name)).join(', ');
  const { minimum, maximum } = options.replicas;
  const pods = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
  const where = options.gpus > 0 ? `each with ${options.gpus} GPU${options.gpus > 1 ? 's' : ''}` : 'on CPU';
  const versions = options.split.map(({ version, weight }) => `${weight} % of the requests to version ${version}`);
  return [
    `${traits.title} serves ${names} from ${pods} pod${pods === '1' ? '' : 's'}${versions.length > 0 ? ' of each version' : ''}, ${where}.`,
    ...(versions.length > 0 ? [`Requests that name no version are split: ${versions.join(', ')}.`] : []),
  ].join(' ');
}

function fillSection(deployed: Deployed): string {
  const commands = fillCommands(deployed);
  return commands === undefined ? '' : `## Fill the claim\n\n${shell([...namespaceCommand(deployed), ...commands])}`;
}

function namespaceCommand({ options }: Deployed): string[] {
  return options.namespace === undefined ? [] : [`kubectl create namespace ${options.namespace}`];
}

function applySection(deployed: Deployed): string {
  const { options, traits } = deployed;
  const namespace = options.namespace === undefined ? '' : ` -n ${options.namespace}`;
  const lines = [
    ...(options.storage.kind === 'claim' ? [] : namespaceCommand(deployed)),
    'kubectl apply -k .',
    ...deployed.variants.map(({ name }) =>
      options.server === 'kserve'
        ? `kubectl wait --for=condition=Ready --timeout=15m inferenceservice/${name}${namespace}`
        : `kubectl rollout status deployment/${name} --timeout=15m${namespace}`,
    ),
    `kubectl port-forward ${forwardTarget(deployed)}${namespace}`,
  ];
  return `## Apply\n\n${shell(lines)}\n\nThe last command forwards port ${traits.httpPort} of this machine until it is stopped.`;
}

function forwardTarget({ options, name, variants, traits }: Deployed): string {
  return options.server === 'kserve'
    ? `service/${variants[0]?.name}-predictor ${traits.httpPort}:80`
    : `service/${name} ${traits.httpPort}:${traits.httpPort}`;
}

function requestSection(deployed: Deployed): string {
  const { options, traits, facts } = deployed;
  const model = onlyModel(deployed) ?? facts.models.find((each) => each.facts !== undefined);
  if (model?.facts === undefined) return '';
  const base = `http://127.0.0.1:${traits.httpPort}`;
  const torchServe = options.server === 'torchserve';
  const request = requestTensors(model.facts, torchServe);
  const name = encodeURIComponent(model.name);
  const url = torchServe ? `${base}/predictions/${name}` : `${base}/v2/models/${name}/infer`;
  const token =
    options.token === 'on'
      ? [
          `TOKEN=$(kubectl exec deploy/${deployed.variants[0]?.name}${options.namespace === undefined ? '' : ` -n ${options.namespace}`} -- python3 -c "import json; print(json.load(open('key_file.json'))['inference']['key'])")`,
        ]
      : [];
  const header = options.token === 'on' ? ' -H "Authorization: Bearer $TOKEN"' : '';
  const interfaceTable = [
    '| | name | type |',
    '|---|---|---|',
    ...model.facts.inputs.map((input) => `| input | ${code(input.name)} | ${code(input.typeText)} |`),
    ...model.facts.outputs.map((output) => `| output | ${code(output.name)} | ${code(output.typeText)} |`),
  ].join('\n');
  const calls =
    request === undefined || (!torchServe && binaryOnly(request))
      ? 'JSON cannot carry the inputs of this model: send them as bytes, for example with `tritonclient`.'
      : shell([
          ...token,
          `${torchServe ? printedRequest(request, nestedBody) : printedRequest(request, v2Body)} > request.json`,
          `curl -sS ${shellWord(url)} -H 'Content-Type: application/json'${header} --data-binary @request.json`,
        ]);
  return `## Request\n\n${interfaceTable}\n\n${calls}`;
}

/** One row as the server takes it; undefined where a type cannot be written. */
function requestTensors(facts: ModelFacts, torchServe: boolean): RequestTensor[] | undefined {
  const batched = isBatched(facts);
  const tensors = facts.example?.flatMap(({ name, dataType, shape, element }): RequestTensor[] => {
    const datatype = TRITON_TYPES.find(({ onnx }) => onnx === dataType)?.wire;
    if (datatype === undefined) return [];
    const served = torchServe ? shape.slice(batched ? 1 : 0) : tritonShape(shape, batched);
    return [{ name, datatype, shape: served, element }];
  });
  return tensors?.length === facts.inputs.length ? tensors : undefined;
}

/** Triton adds the batch to what its configuration says; the same rule as that of `package triton`. */
function isBatched({ inputs, outputs }: ModelFacts): boolean {
  return [...inputs, ...outputs].every(({ shape }) => shape?.length && typeof shape[0] !== 'number');
}

/** Tensors without a dimension of their own are served with one of size 1. */
function tritonShape(sizes: readonly number[], batched: boolean): readonly number[] {
  return sizes.length === (batched ? 1 : 0) ? [...sizes, 1] : sizes;
}

function routeSection(deployed: Deployed): string {
  const { options, facts, variants } = deployed;
  if (options.router === undefined) return '';
  const [model] = facts.models;
  const path = options.server === 'torchserve' ? `/predictions/${model?.name}` : `/v2/models/${model?.name}`;
  const versions = variants.flatMap(({ version }) => (version === undefined ? [] : [version]));
  const versioned = versions.map((version) =>
    code(options.server === 'torchserve' ? `${path}/${version}` : `${path}/versions/${version}/infer`),
  );
  return [
    '## Routes',
    '',
    `${options.router === 'istio' ? 'Istio' : 'The gateway'} sends ${code(`${path}${options.server === 'torchserve' ? '' : '/infer'}`)} to ${versions.length > 0 ? 'the versions by weight' : 'the pods'}${versioned.length > 0 ? `, and ${versioned.join(' and ')} to that version` : ''}. Other paths of the server are not routed.`,
  ].join('\n');
}

function filesSection(resources: readonly string[]): string {
  return [
    '## Files',
    '',
    `${resources.map(code).join(', ')}.`,
    '',
    'Change them with patches in files of your own, listed in `kustomization.yaml`: writing the package again with `--force` replaces',
    'only files that begin with the line of serve-opt, and keeps what was added to `kustomization.yaml`.',
  ].join('\n');
}

function shell(lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
}
