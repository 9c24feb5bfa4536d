/** What is known of an output before it is compared: from the end of the graph, or from its name. */
export interface OutputMeaning {
  /** `scores` has a number for each class, `answer` names the class itself. */
  readonly kind: 'scores' | 'answer';
  /** Axis of the classes, from the end where negative; of `scores` only. */
  readonly axis?: number;
  /** True where exactly one class is right, so that the largest score decides; false for independent scores. */
  readonly exclusive: boolean;
  /** One clause: `the graph ends in Softmax`. */
  readonly because: string;
}

/** By the name of the output. */
export type OutputMeanings = ReadonlyMap<string, OutputMeaning>;

/** A word of a name: between separators, or where the case changes. */
const word = (words: string): RegExp => new RegExp(`(^|[^a-z])(${words})([^a-z]|$)`, 'i');
const split = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/\d+/g, '_');

const SCORES = word('logits?|prob|probs|probability|probabilities|softmax|scores?|class_scores|confidences?');
const ANSWERS = word(
  'labels?|class|classes|class_ids?|pred|preds|predictions?|predicted|argmax|top_?k|token_ids|answers?',
);
const NO_CLASSES = word(
  'box|boxes|bbox|bboxes|coords?|coordinates|offsets?|landmarks?|keypoints?|points?|anchors?|embeddings?|embeds?|features?|hidden|hidden_state|state|pooler|pooled',
);

/** Whether a name says that the output is a number for each class. */
export function namedScores(name: string): boolean {
  return SCORES.test(split(name)) && !NO_CLASSES.test(split(name));
}

/** Whether a name says that the output is the class itself. */
export function namedAnswer(name: string): boolean {
  return ANSWERS.test(split(name)) && !SCORES.test(split(name));
}

/** Whether a name says that the output is no score of classes: boxes, embeddings, states. */
export function namedOtherwise(name: string): boolean {
  return NO_CLASSES.test(split(name));
}
