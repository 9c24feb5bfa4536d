/** Schemes as users write them: one option for one override, and files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { assignSchemes, checkOverrides, meantBy } from '../../../src/passes/quantize/assign-schemes.js';
import { S8_WEIGHTS, S32_BIASES, schemeText, U8_ACTIVATIONS } from '../../../src/quantize/scheme.js';
import { parseOverride } from '../../../src/workflows/quantize/schemes/parse-override.js';
import { readSchemeFile } from '../../../src/workflows/quantize/schemes/scheme-file.js';
import { schemesOf, usesSixteenBits } from '../../../src/workflows/quantize/schemes/schemes-of.js';

const folder = mkdtempSync(join(tmpdir(), 'schemes-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'schemes.yaml');
  writeFileSync(path, text);
  return path;
}

describe('parseOverride', () => {
  it('reads types, words that stand alone, and patterns with colons', () => {
    expect(parseOverride('conv1.*:activations=u16')).toEqual({ match: 'conv1.*', activations: { type: 'u16' } });
    expect(parseOverride('a:0:weights=u8,per-tensor,activations=s8')).toEqual({
      match: 'a:0',
      weights: { type: 'u8', granularity: 'per-tensor' },
      activations: { type: 's8' },
    });
    expect(parseOverride('Softmax:float')).toEqual({ match: 'Softmax', float: true });
    expect(parseOverride('head:activations=float')).toEqual({ match: 'head', float: true });
  });

  it.each([
    ['conv1', 'it has no pattern before a colon', undefined],
    ['conv1:activation=u16', '"activation" is none of activations, weights', 'did you mean "activations"?'],
    ['conv1:weights=s16', '"s16" is none of', undefined],
    ['conv1:u16', '"u16" is none of', undefined],
  ])('refuses %s', (text, why, hint) => {
    const refusal = expect(() => parseOverride(text));
    refusal.toThrow(expect.objectContaining({ code: 'SO1006', why: expect.stringContaining(why) as string }));
    if (hint !== undefined) refusal.toThrow(expect.objectContaining({ hint }));
  });
});

describe('readSchemeFile', () => {
  it('reads YAML and JSON', () => {
    const yaml =
      'activations: s8\nweights: {granularity: per-tensor, reduce-range: true}\nbiases: float\noverrides:\n- match: conv1.*\n  activations: {type: u16, symmetric: true}\n- {match: Softmax, float: true}\n';
    const wanted = {
      activations: { type: 's8' },
      weights: { granularity: 'per-tensor', reduceRange: true },
      biases: 'float',
      overrides: [
        { match: 'conv1.*', activations: { type: 'u16', symmetric: true } },
        { match: 'Softmax', float: true },
      ],
    };
    expect(readSchemeFile(file(yaml))).toEqual(wanted);
    const json = JSON.stringify({ ...wanted, weights: { granularity: 'per-tensor', 'reduce-range': true } });
    expect(readSchemeFile(file(json))).toEqual(wanted);
    expect(readSchemeFile(file(''))).toEqual({});
  });

  it.each([
    ['weigths: u8', 'at weigths', 'there is no such field', 'did you mean "weights"?'],
    [
      'overrides: [{match: a, activations: {typ: u8}}]',
      'at overrides[0].activations.typ',
      'no such field',
      'did you mean "type"?',
    ],
    [
      'overrides: [{match: a, weights: {granularity: per-chanel}}]',
      'at overrides[0].weights.granularity',
      'is none of',
      'did you mean "per-channel"?',
    ],
    ['overrides: [{match: a}]', 'at overrides[0]', 'it chooses nothing', undefined],
    ['overrides: [{activations: u8}]', 'at overrides[0].match', 'it must be the name', undefined],
    ['overrides: {a: u8}', 'at overrides', 'it is no list', undefined],
    ['biases: flaot', 'at biases', 'is none of s32, float', 'did you mean "float"?'],
    ['- a', 'no file of schemes', 'it must have fields', undefined],
    ['a: [', 'no file of schemes', 'neither YAML nor JSON', undefined],
  ])('refuses %s', (text, message, why, hint) => {
    const refusal = expect(() => readSchemeFile(file(text)));
    refusal.toThrow(
      expect.objectContaining({
        code: 'SO1006',
        message: expect.stringContaining(message) as string,
        why: expect.stringContaining(why) as string,
      }),
    );
    if (hint !== undefined) refusal.toThrow(expect.objectContaining({ hint }));
  });
});

const MODEL = `<ir_version: 10, opset_import: ["": 21]>
g (float[1,2,4,4] x) => (float[1,2,4,4] y)
<float[2,2,1,1] conv1_weight = {1, 0, 0, 1}, float[2,2,1,1] conv2_weight = {1, 0, 0, 1}>
{
  [first] a = Conv (x, conv1_weight)
  [second] y = Conv (a, conv2_weight)
}`;

describe('overrides of a model', () => {
  const model = parseModel(MODEL);
  const labels = (pattern: string) => [...meantBy(model, pattern).nodes].map(({ name }) => name);

  it('mean nodes by name, glob, operator type and weight, and activations only where they mean no node', () => {
    expect(labels('first')).toEqual(['first']);
    expect(labels('*s*')).toEqual(['first', 'second']);
    expect(labels('Conv')).toEqual(['first', 'second']);
    expect(labels('conv1_*')).toEqual(['first']);
    const { nodes, tensors } = meantBy(model, 'a');
    expect([nodes.size, [...tensors].map(({ name }) => name)]).toEqual([0, ['a']]);
  });

  it('are refused where they mean nothing, with the nearest name', () => {
    expect(() => checkOverrides(model, [{ match: 'conv3_weight', float: true }])).toThrow(
      expect.objectContaining({ code: 'SO1003', hint: 'did you mean "conv1_weight"?' }),
    );
  });

  it('are joined choice by choice, and refuse INT8 activations beside UINT8 weights', () => {
    const defaults = { activations: U8_ACTIVATIONS, weights: S8_WEIGHTS, biases: S32_BIASES };
    const { schemes, float } = assignSchemes(model, defaults, [
      { match: 'Conv', activations: { type: 'u16' } },
      { match: 'second', activations: { symmetric: true }, weights: { granularity: 'per-tensor' } },
      { match: 'a', float: true },
    ]);
    const [first, second] = [...model.graph.nodes];
    if (!first || !second) throw new Error('no nodes');
    expect(schemeText(schemes.activations(first))).toBe('u16, asymmetric, per tensor');
    expect(schemeText(schemes.activations(second))).toBe('u16, symmetric, per tensor');
    expect(schemeText(schemes.weights(second))).toBe('s8, symmetric, per tensor');
    expect([...float.values()]).toEqual(['a', 'a']);
    expect(() =>
      assignSchemes(model, defaults, [{ match: 'first', activations: { type: 's8' }, weights: { type: 'u8' } }]),
    ).toThrow(expect.objectContaining({ code: 'SO1002', message: expect.stringContaining('"first"') as string }));
  });
});

describe('schemesOf', () => {
  it('takes those of the place, then of a file, then of options', () => {
    expect(schemeText(schemesOf({ for: 'qnn' }).weights)).toBe('u8, asymmetric, per tensor');
    expect(schemeText(schemesOf({ for: 'ort-cuda' }).activations)).toBe('s8, symmetric, per tensor');
    expect(schemesOf({ for: 'openvino' }).biases).toBe('float');
    const chosen = schemesOf({ schemes: { weights: { type: 'u8' }, biases: 'float' }, perTensor: true });
    expect([schemeText(chosen.weights), chosen.biases]).toEqual(['u8, asymmetric, per tensor', 'float']);
    expect(schemesOf({ for: 'ort-cpu:avx2' }).saturates).toBe(true);
    expect(schemesOf({ for: 'ort-cpu:vnni' }).saturates).toBe(false);
  });

  it('tells where 16 bits are wanted', () => {
    expect(usesSixteenBits(schemesOf({}))).toBe(false);
    expect(usesSixteenBits(schemesOf({ overrides: [{ match: 'a', activations: { type: 's16' } }] }))).toBe(true);
  });
});
