import { type NestedTensor, nestedBody, printedRequest } from '../example-request.js';
import { SERVER_IMAGES } from '../server-images.js';
import type { MarPlan } from './mar-plan.js';
import { requirementsText } from './requirements.js';

/** README.md of an archive: what it serves, how to start it, and requests for this very model. @param version of serve-opt */
export function readmeText(plan: MarPlan, version: string): string {
  const { options } = plan;
  const { name } = options;
  return `# ${name}

An ONNX model for TorchServe, packaged by serve-opt ${version}. The handler (\`onnx_handler.py\`) runs it in ONNX Runtime.

TorchServe is no longer maintained and gets no security fixes. A .mar is a program: load only those that you trust, and
keep the management port (8081) closed.

## Model

| | name | type |
|---|---|---|
${plan.facts.inputs.map((each) => `| input | ${cell(each.name)} | ${cell(each.typeText)} |`).join('\n')}
${plan.facts.outputs.map((each) => `| output | ${cell(each.name)} | ${cell(each.typeText)} |`).join('\n')}

${batchText(plan)}

## Start

${startText(plan)}

TorchServe demands a token by default, and writes new ones to \`key_file.json\` where it starts. \`/ping\` needs it too, so
probes without it fail. The commands here turn that off; without \`--disable-token-auth\`, send
\`Authorization: Bearer TOKEN\` with the \`inference\` key of that file.

## Requests

${requestText(plan)}

A wrong request gets status 400 and a message, whatever else is in its batch.

## Settings

\`model-config.yaml\` has the workers (${options.workers}), the batch size (${plan.batchSize}), the time to wait for a batch (${options.maxBatchDelayMs} ms), and the time
limits of a response (${options.responseTimeoutSeconds} s) and of a start (${options.startupTimeoutSeconds} s). \`handler.intraOpThreads\` are the threads of one worker; with 0, the
processors are divided by the workers.
`;
}

function batchText({ batch, batchSize }: MarPlan): string {
  if (batch.kind === 'open') {
    return `Requests of equal shapes run together, up to ${batchSize} at a time. A request may leave out the batch dimension, or have several rows.`;
  }
  const leave = batch.kind === 'one' ? ' A request may leave out the batch dimension.' : '';
  return `Requests run one by one: ${batch.why}.${leave}`;
}

function startText({ facts, options }: MarPlan): string {
  const { name, device } = options;
  const image = device === 'gpu' ? SERVER_IMAGES.torchserveGpu : SERVER_IMAGES.torchserveCpu;
  const store = '/home/model-server/model-store';
  const packages = requirementsText(facts, options)
    .trim()
    .split('\n')
    .map((each) => `'${each}'`)
    .join(' ');
  const models = `--models ${name}=${name}.mar --disable-token-auth`;
  return `In a container, from the folder of \`${name}.mar\`:

\`\`\`sh
docker run --rm ${device === 'gpu' ? '--gpus all ' : ''}-p 127.0.0.1:8080:8080 -v "$PWD/${name}.mar:${store}/${name}.mar:ro" \\
  ${image} sh -c "pip install -q ${packages} && \\
  echo inference_address=http://0.0.0.0:8080 > /tmp/ts.properties && \\
  torchserve --foreground --ncs --ts-config /tmp/ts.properties --model-store ${store} ${models}"
\`\`\`

Or with an installed TorchServe, after \`pip install ${packages}\`:

\`\`\`sh
torchserve --foreground --ncs --model-store . ${models}
\`\`\``;
}

function requestText(plan: MarPlan): string {
  const { image, text, options, classes } = plan;
  const url = `http://127.0.0.1:8080/predictions/${options.name}`;
  const json = (body: string): string =>
    `curl ${url} -H 'Content-Type: application/json' -d '${body.replaceAll("'", "'\\''")}'`;
  const parts: string[] = [];
  const request = requestTensors(plan);
  const end = request === undefined ? '.' : ':';
  if (image) {
    parts.push(`An image (JPEG, PNG, WebP, GIF, BMP or TIFF) as the body, or as base64 in JSON:`);
    parts.push(block(`curl ${url} -T image.jpg`, json('{"image": "/9j/4AAQ…"}')));
    parts.push(`Tensors are taken too${end}`);
  }
  if (text) {
    parts.push('A text as the body, or one or more in JSON (`text_pair` for models of two texts):');
    parts.push(block(`curl ${url} -H 'Content-Type: text/plain' -d 'some text'`, json('{"text": ["one", "another"]}')));
    parts.push(`Tensors are taken too${end}`);
  }
  if (!image && !text) parts.push(`Tensors by name, as nested lists${end}`);
  if (request !== undefined)
    parts.push(block(`${printedRequest(request, nestedBody)} | curl ${url} -H 'Content-Type: application/json' -d @-`));
  const forms = [
    '`{"inputs": {…}}`',
    ...(plan.facts.inputs.length === 1 ? ['a bare list'] : []),
    'a `.npy` body or form field for each input',
  ];
  parts.push(`Also taken: ${forms.join(', ')}.`);
  parts.push(
    classes
      ? `The response has the classes, best first: \`{"predictions": [{"index": 0, "label": "…"${classes.numbers ? '' : ', "score": 0.9'}}]}\`.`
      : 'The response has the outputs by name.',
  );
  return parts.join('\n\n');
}

function block(...commands: readonly string[]): string {
  return `\`\`\`sh\n${commands.join('\n')}\n\`\`\``;
}

/** One row as a request carries it; undefined where none can be written. */
function requestTensors({ facts, batch }: MarPlan): NestedTensor[] | undefined {
  return facts.example?.map(({ name, shape, element }) => ({
    name,
    shape: batch.kind === 'whole' ? shape : shape.slice(1),
    element,
  }));
}

/** Text of a table's cell: one line, no bars. */
function cell(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replace(/\s+/g, ' ')}\``;
}
