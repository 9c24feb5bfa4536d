import type { ImagePlan } from '../../../samples/images/image-plan.js';
import type { ModelFacts } from '../../model-facts.js';
import type { ClassPlan } from '../class-plan.js';
import { MODEL_FILE } from '../manifest.js';
import type { MarOptions } from '../mar-options.js';
import { checkOutputType, inputType } from '../numpy-type.js';
import { type PythonValue, pythonLiteral, pythonRows } from '../python-literal.js';
import type { ServedBatch } from '../served-batch.js';
import type { TextPlan } from '../text-plan.js';
import { CORE, CORE_FUNCTIONS, CORE_IMPORTS } from './core.js';
import { IMAGE_FUNCTIONS, IMAGE_IMPORTS, IMAGE_METHODS, IMAGE_PACKAGES } from './image-requests.js';
import { JSON_FUNCTIONS, JSON_METHODS } from './json-requests.js';
import { CLASSES_FUNCTIONS, CLASSES_METHOD, OUTPUTS_METHOD } from './predictions.js';
import {
  TEXT_FUNCTIONS,
  TEXT_METHODS,
  TEXT_PACKAGES,
  TOKENIZER_FILE,
  TOKENIZER_VOCABULARY,
  VOCABULARY_PACKAGES,
} from './text-requests.js';

/** What the handler is made for. */
export interface HandlerPlan {
  readonly facts: ModelFacts;
  readonly options: MarOptions;
  readonly batch: ServedBatch;
  readonly image?: ImagePlan;
  readonly text?: TextPlan;
  readonly classes?: ClassPlan;
}

/**
 * The Python source of the handler: constants of this model, then the parts that it needs. It has one class, as TorchServe
 * demands, and imports no torch. @param version of serve-opt @throws SO3501 for a type that it cannot exchange
 */
export function handlerText(plan: HandlerPlan, version: string): string {
  const { image, text, classes } = plan;
  return [
    `"""TorchServe handler of one ONNX model, written by serve-opt ${version}. It runs the model in ONNX Runtime."""\n\n`,
    image ? IMAGE_IMPORTS : '',
    CORE_IMPORTS,
    image ? IMAGE_PACKAGES : '',
    text ? (text.vocabulary ? VOCABULARY_PACKAGES : TEXT_PACKAGES) : '',
    '\n',
    constants(plan),
    CORE,
    image ? IMAGE_METHODS : text ? TEXT_METHODS : JSON_METHODS,
    classes ? CLASSES_METHOD : OUTPUTS_METHOD,
    CORE_FUNCTIONS,
    JSON_FUNCTIONS,
    image ? IMAGE_FUNCTIONS : '',
    text ? `${TEXT_FUNCTIONS}${text.vocabulary ? TOKENIZER_VOCABULARY : TOKENIZER_FILE}` : '',
    classes ? CLASSES_FUNCTIONS : '',
  ].join('');
}

function constants({ facts, options, batch, image, text, classes }: HandlerPlan): string {
  const inputs = facts.inputs.map((spec) => ({
    name: spec.name,
    type: inputType(spec),
    shape: spec.shape?.map((dim) => (typeof dim === 'number' ? dim : null)) ?? null,
  }));
  for (const output of facts.outputs) checkOutputType(output);
  const lines: [comment: string, name: string, value: string][] = [
    ['', 'MODEL_FILE', pythonLiteral(MODEL_FILE)],
    ['Sizes of None are open.', 'INPUTS', pythonRows(inputs)],
    ['', 'OUTPUTS', pythonRows(facts.outputs.map(({ name }) => ({ name })))],
    [
      'open: requests run together; one: alone, with a batch of 1; whole: alone, as they are.',
      'BATCH',
      pythonLiteral(batch.kind),
    ],
    ['', 'DEVICE', pythonLiteral(options.device)],
  ];
  if (image) lines.push(['', 'IMAGE', pythonLiteral({ ...image })]);
  if (text) lines.push(['', 'TEXT', pythonLiteral(textConstants(text))]);
  if (classes) {
    const { index, numbers, top, softmax } = classes;
    // An unknown count of classes ends nothing: all of them are fewer.
    lines.push(['', 'CLASSES', pythonLiteral({ index, numbers, top, softmax })]);
    lines.push(['', 'LABELS', pythonRows(options.labels ?? [])]);
  }
  return lines.map(([comment, name, value]) => `${comment && `# ${comment}\n`}${name} = ${value}\n`).join('');
}

function textConstants({ file, maxLength, length, fields, mask, pads, lowercase }: TextPlan): PythonValue {
  return { file, maxLength, length, fields, mask, pads, lowercase };
}
