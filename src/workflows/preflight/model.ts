import { ServeOptError } from '../../errors.js';
import type { Model } from '../../ir/model.js';
import { assertUsable } from '../../ir/usable.js';
import { assertNoProblems, assertValid } from '../../ir/verify.js';
import { checkOperators } from '../../ops/check-operators.js';
import { saysInvalid } from '../../runtime/native-text.js';
import type { ModelOptions } from '../options.js';

/** Problems that a warning tells of one by one. */
const MOST_TOLD = 5;

/**
 * Whether a model that is to be worked with is sound: its graph, and its nodes by the rules of their operators.
 * @returns warnings about rules that are broken where `allowInvalid` lets that pass
 * @throws SO3001, SO3002, SO2101 and their like for a broken graph, SO3004 for a broken rule, naming the node
 */
export function checkModel(model: Model, { allowInvalid = false }: ModelOptions): string[] {
  assertUsable(model);
  assertValid(model);
  const problems = checkOperators(model);
  if (!allowInvalid) {
    assertNoProblems(problems);
    return [];
  }
  const more = problems.length - MOST_TOLD;
  return [
    ...problems.slice(0, MOST_TOLD).map(({ message }) => `The model is invalid: ${message}.`),
    ...(more > 0 ? [`The model violates operator specifications in ${more} more places.`] : []),
  ];
}

/**
 * What ONNX Runtime's refusal of a model that was given comes to: an invalid model is an error of the input, unless such
 * are allowed. Other errors are given back as they are.
 */
export function asInvalidModel(error: unknown, { allowInvalid = false }: ModelOptions): unknown {
  if (allowInvalid || !(error instanceof ServeOptError) || error.code !== 'SO5001') return error;
  return saysInvalid(error.message) ? invalidModel(error.message, error) : error;
}

/** The error for a model that ONNX Runtime refuses as invalid. */
export function invalidModel(refusal: string, cause?: ServeOptError): ServeOptError {
  return new ServeOptError('SO3004', refusal, cause ? { location: cause.location, cause } : {});
}
