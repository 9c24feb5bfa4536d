/** Schemes of a model in a file. */
import { basename } from 'node:path';
import { readSmallTextFile } from '../../../codec/small-file.js';
import { ServeOptError } from '../../../errors.js';
import { isJsonObject } from '../../../json-object.js';
import {
  ACTIVATION_TYPES,
  type ActivationChoice,
  type SchemeChoicesOfModel,
  type SchemeOverride,
  WEIGHT_GRANULARITIES,
  WEIGHT_TYPES,
  type WeightChoice,
} from '../../../quantize/scheme-choices.js';
import { suggest } from '../../../suggest.js';
import { whyNotYaml, yamlData } from '../../../targets/yaml-text.js';

/** A file of schemes is a page of text. */
const MOST_BYTES = 1 << 20;

/**
 * A file of schemes. @throws SO1006 for what it is not, naming the place and the nearest word; what reading a file throws
 */
export function readSchemeFile(path: string): SchemeChoicesOfModel {
  const text = readSmallTextFile(path, MOST_BYTES);
  const fault = whyNotYaml(text);
  const reader = new SchemeReader(path);
  if (fault !== undefined) throw reader.refused('', `it is neither YAML nor JSON: ${fault}`);
  return reader.model(yamlData(text) ?? {});
}

/** Checks plain data against what a file of schemes may say. */
class SchemeReader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  model(data: unknown): SchemeChoicesOfModel {
    const { activations, weights, biases, overrides } = this.#fields(data, '', [
      'activations',
      'weights',
      'biases',
      'overrides',
    ]);
    if (overrides !== undefined && !Array.isArray(overrides)) throw this.refused('overrides', 'it is no list');
    return {
      ...(activations === undefined ? {} : { activations: this.#activations(activations, 'activations') }),
      ...(weights === undefined ? {} : { weights: this.#weights(weights, 'weights') }),
      ...(biases === undefined ? {} : { biases: this.#word(biases, 'biases', ['s32', 'float']) }),
      ...(overrides === undefined
        ? {}
        : { overrides: (overrides as unknown[]).map((each, at) => this.#override(each, `overrides[${at}]`)) }),
    };
  }

  #override(data: unknown, place: string): SchemeOverride {
    const { match, float, activations, weights } = this.#fields(data, place, [
      'match',
      'float',
      'activations',
      'weights',
    ]);
    if (typeof match !== 'string' || match === '')
      throw this.refused(`${place}.match`, 'it must be the name of a node or tensor, a glob or an operator type');
    const override: SchemeOverride = {
      match,
      ...(float === undefined ? {} : { float: this.#flag(float, `${place}.float`) }),
      ...(activations === undefined ? {} : { activations: this.#activations(activations, `${place}.activations`) }),
      ...(weights === undefined ? {} : { weights: this.#weights(weights, `${place}.weights`) }),
    };
    if (Object.keys(override).length === 1) throw this.refused(place, 'it chooses nothing');
    return override;
  }

  #activations(data: unknown, place: string): ActivationChoice {
    if (typeof data === 'string') return { type: this.#word(data, place, ACTIVATION_TYPES) };
    const { type, symmetric } = this.#fields(data, place, ['type', 'symmetric']);
    return {
      ...(type === undefined ? {} : { type: this.#word(type, `${place}.type`, ACTIVATION_TYPES) }),
      ...(symmetric === undefined ? {} : { symmetric: this.#flag(symmetric, `${place}.symmetric`) }),
    };
  }

  #weights(data: unknown, place: string): WeightChoice {
    if (typeof data === 'string') return { type: this.#word(data, place, WEIGHT_TYPES) };
    const fields = this.#fields(data, place, ['type', 'symmetric', 'granularity', 'reduce-range']);
    const { type, symmetric, granularity, 'reduce-range': reduceRange } = fields;
    return {
      ...(type === undefined ? {} : { type: this.#word(type, `${place}.type`, WEIGHT_TYPES) }),
      ...(symmetric === undefined ? {} : { symmetric: this.#flag(symmetric, `${place}.symmetric`) }),
      ...(granularity === undefined
        ? {}
        : { granularity: this.#word(granularity, `${place}.granularity`, WEIGHT_GRANULARITIES) }),
      ...(reduceRange === undefined ? {} : { reduceRange: this.#flag(reduceRange, `${place}.reduce-range`) }),
    };
  }

  #fields<K extends string>(data: unknown, place: string, names: readonly K[]): { readonly [P in K]?: unknown } {
    if (!isJsonObject(data)) throw this.refused(place, `it must have fields: ${names.join(', ')}`);
    for (const key of Object.keys(data)) {
      if ((names as readonly string[]).includes(key)) continue;
      const near = suggest(key, names);
      throw this.refused(
        place === '' ? key : `${place}.${key}`,
        'there is no such field',
        near === undefined ? `fields are ${names.join(', ')}` : `did you mean "${near}"?`,
      );
    }
    return data as { readonly [P in K]?: unknown };
  }

  #word<W extends string>(value: unknown, place: string, words: readonly W[]): W {
    const found = words.find((each) => each === value);
    if (found !== undefined) return found;
    const near = typeof value === 'string' ? suggest(value, words) : undefined;
    const hint = near === undefined ? `it is one of ${words.join(', ')}` : `did you mean "${near}"?`;
    throw this.refused(place, `${JSON.stringify(value)} is none of ${words.join(', ')}`, hint);
  }

  #flag(value: unknown, place: string): boolean {
    if (typeof value !== 'boolean') throw this.refused(place, 'it must be true or false');
    return value;
  }

  refused(place: string, why: string, hint = 'the schemes of a file are described in docs/quantization-schemes.md') {
    const where = place === '' ? '' : `, at ${place}`;
    return new ServeOptError('SO1006', `"${basename(this.#path)}" is no file of schemes${where}`, {
      why,
      hint,
      location: { file: this.#path },
    });
  }
}
