import type { Dim } from '../../ir/type.js';
import type { ValueSpec } from '../../samples/types.js';
import { DataType } from '../../tensor/dtype.js';
import { SERVER_IMAGES } from '../server-images.js';
import type { MarPlan } from './mar-plan.js';
import { requirementsText } from './requirements.js';

/** Elements of an example are written out up to this count. */
const MOST_ELEMENTS = 16;

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
  if (image) {
    parts.push(`An image (JPEG, PNG, WebP, GIF, BMP or TIFF) as the body, or as base64 in JSON:`);
    parts.push(block(`curl ${url} -T image.jpg`, json('{"image": "/9j/4AAQ…"}')));
    parts.push('Tensors are taken too:');
  }
  if (text) {
    parts.push('A text as the body, or one or more in JSON (`text_pair` for models of two texts):');
    parts.push(block(`curl ${url} -H 'Content-Type: text/plain' -d 'some text'`, json('{"text": ["one", "another"]}')));
    parts.push('Tensors are taken too:');
  }
  if (!image && !text) parts.push('Tensors by name, as nested lists:');
  parts.push(block(json(exampleBody(plan))));
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

/** A body for this model: small tensors written out, of others the beginning. */
function exampleBody({ facts, batch }: MarPlan): string {
  const fields = facts.inputs.map((input) => {
    const shape = input.shape ?? [undefined];
    return `${JSON.stringify(input.name)}: ${example(input, batch.kind === 'whole' ? shape : shape.slice(1))}`;
  });
  return `{${fields.join(', ')}}`;
}

function example({ dataType }: ValueSpec, shape: readonly Dim[]): string {
  const element =
    dataType === DataType.STRING ? '"text"' : dataType === DataType.BOOL ? 'true' : isFloatType(dataType) ? '0.5' : '1';
  const nested = (dims: readonly Dim[]): string => {
    const [dim, ...rest] = dims;
    if (dims.length === 0) return element;
    const size = typeof dim === 'number' ? dim : 1;
    const item = nested(rest);
    const whole = rest.every((each) => typeof each !== 'number' || each === 1);
    if (size <= (whole ? MOST_ELEMENTS : 1)) return `[${Array.from({ length: size }, () => item).join(', ')}]`;
    return `[${item}, …]`;
  };
  return nested(shape);
}

function isFloatType(dataType: number | undefined): boolean {
  return dataType === DataType.FLOAT || dataType === DataType.FLOAT16 || dataType === DataType.DOUBLE;
}

/** Text of a table's cell: one line, no bars. */
function cell(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll('|', '\\|').replace(/\s+/g, ' ')}\``;
}
