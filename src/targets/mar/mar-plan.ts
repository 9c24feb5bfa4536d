import { ServeOptError } from '../../errors.js';
import { type ImagePlan, imagePlan, PIXELS_FLAG } from '../../samples/images/image-plan.js';
import { DataType } from '../../tensor/dtype.js';
import { type ClassPlan, classPlan } from './class-plan.js';
import type { MarFacts } from './mar-facts.js';
import { checkMarName, checkMarVersion } from './mar-name.js';
import type { MarOptions } from './mar-options.js';
import { servedBatchSize } from './model-config.js';
import { foreignDomains } from './requirements.js';
import { type ServedBatch, servedBatch } from './served-batch.js';
import { type TextPlan, type TokenizerFacts, textPlan } from './text-plan.js';

/** Everything that was decided for an archive. */
export interface MarPlan {
  readonly facts: MarFacts;
  readonly options: MarOptions;
  readonly batch: ServedBatch;
  readonly batchSize: number;
  readonly image?: ImagePlan;
  readonly text?: TextPlan;
  readonly classes?: ClassPlan;
}

/** What a user must know of TorchServe, once. */
export const UNMAINTAINED =
  'TorchServe is no longer maintained and gets no security fixes; "package triton" packages the same model for a server that does. Its workers need torch, whatever the model, and it demands a token by default, also of probes of /ping';

/**
 * Decides how a model is served: batching, requests and responses. @param tokenizer what its file says, with `--preprocess
 * text`
 * @throws SO1002, SO1003, SO1006 for options that contradict each other or the model, SO3501 for a model that cannot be served
 */
export function marPlan(facts: MarFacts, options: MarOptions, tokenizer?: TokenizerFacts): MarPlan {
  checkMarName(options.name);
  checkMarVersion(options.version);
  checkPreprocess(options);
  const batch = servedBatch(facts);
  const { preprocess, image, imageFlag = PIXELS_FLAG.flag, text, batchSize = 1 } = options;
  if (batchSize > 1 && batch.kind !== 'open') {
    throw new ServeOptError('SO1006', `The value ${batchSize} of --max-batch does not fit the model`, {
      why: `requests cannot run together: ${batch.why}`,
      hint: 'leave it out, or make the batch open first: serve-opt optimize MODEL --dynamic batch',
    });
  }
  const classes = classPlan(facts, options);
  return {
    facts,
    options,
    batch,
    batchSize: servedBatchSize(options, batch),
    ...(preprocess === 'image'
      ? { image: imagePlan(facts.inputs, image ?? {}, { ...PIXELS_FLAG, flag: imageFlag }) }
      : {}),
    ...(text && tokenizer ? { text: textPlan(facts, text, tokenizer) } : {}),
    ...(classes ? { classes } : {}),
  };
}

/** What to tell of a plan besides its files. */
export function marNotes({ facts, options, batch, image, classes }: MarPlan): readonly string[] {
  const notes: string[] = [];
  if (batch.kind !== 'open') notes.push(`requests run one by one: ${batch.why}`);
  const foreign = foreignDomains(facts);
  if (foreign.length > 0) notes.push(`ONNX Runtime must have the operators of ${foreign.join(', ')} on the server`);
  if (
    image &&
    options.image?.mean === undefined &&
    options.image?.scale === undefined &&
    facts.inputs[0]?.dataType !== DataType.UINT8
  ) {
    notes.push('pixels are scaled to 0..1 and not normalized: --pixels mean=… and --pixels std=… do that');
  }
  if (classes && !classes.numbers && !classes.softmax && !facts.probabilities.has(classes.output)) {
    notes.push(`scores are the values of "${classes.output}": --softmax turns logits into probabilities`);
  }
  return notes;
}

function checkPreprocess({ preprocess, image, text }: MarOptions): void {
  if (image && preprocess !== 'image') throw idle('--pixels', 'image');
  if (text && preprocess !== 'text') throw idle('--tokenizer', 'text');
  if (preprocess === 'text' && !text) {
    throw new ServeOptError('SO1006', '--preprocess text needs a tokenizer', {
      why: 'the model takes numbers of tokens, not texts',
      hint: 'add --tokenizer tokenizer.json',
    });
  }
}

function idle(option: string, kind: string): ServeOptError {
  return new ServeOptError('SO1002', `${option} has no effect without --preprocess ${kind}`, {
    hint: `add --preprocess ${kind}, or leave it out`,
  });
}
