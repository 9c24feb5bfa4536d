/**
 * Options of the command as arguments of trtexec, for four versions and every option set. `UPDATE_GOLDEN=1` writes the golden files
 * anew; read the difference before committing it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.js';
import { tensorRtOptions } from '../../../src/cli/engine-options.js';
import { parseCommand } from '../../../src/cli/program.js';
import { ServeOptError } from '../../../src/errors.js';
import { flagRow, flagState, TRTEXEC_FLAG_NAMES } from '../../../src/targets/tensorrt/flag-support.js';
import type { GraphTypes } from '../../../src/targets/tensorrt/plan.js';
import { neededConversion } from '../../../src/targets/tensorrt/precision-flags.js';
import { renderPlan } from '../../../src/targets/tensorrt/render-plan.js';
import { parseVersion, type TensorRtVersion } from '../../../src/targets/tensorrt/version.js';
import { buildPlan, exportPaths, loadPlan } from '../../../src/workflows/tensorrt/engine-plan.js';
import { engineProfiles } from '../../../src/workflows/tensorrt/engine-profiles.js';
import { typesAfter } from '../../../src/workflows/tensorrt/prepare-build.js';

const VERSIONS = ['8.6', '10.0', '10.16', '11.1'] as const;
const GOLDEN = join(import.meta.dirname, 'golden');
const PLAIN: GraphTypes = { float16: false, bfloat16: false, int8Pairs: false, float8Pairs: false };

interface OptionSet {
  readonly words: string;
  readonly types?: Partial<GraphTypes>;
}

const SETS: readonly OptionSet[] = [
  { words: '--dim batch=1:8:32' },
  { words: '--dim batch=8' },
  { words: '--dim batch=1:8:32 --precision fp16' },
  { words: '--dim batch=1:8:32 --precision int8 --data samples.npz' },
  { words: '--dim batch=1:8:32 --precision int8' },
  { words: '--dim batch=1:8:32 --precision best' },
  { words: '--dim batch=1:8:32 --precision bf16' },
  { words: '--dim batch=1:8:32 --precision fp8' },
  { words: '--dim batch=1:8:32 --precision fp8', types: { float8Pairs: true } },
  { words: '--dim batch=1:8:32', types: { float16: true } },
  { words: '--dim batch=1:8:32', types: { int8Pairs: true } },
  { words: '--dim batch=1:8:32', types: { int8Pairs: true, float16: true } },
  { words: '--dim batch=1:8:32 --precision fp16', types: { int8Pairs: true } },
  { words: '--dim batch=1:8:32 --workspace 4GiB --timing-cache timing.cache --builder-level 5' },
  { words: '--opt-profile batch=1 --opt-profile batch=8:16:32' },
  { words: '--dim batch=1:8:32 --sparsity enable --no-tf32 --gpu 1' },
  { words: '--dim batch=1:8:32 --version-compatible --hardware ampere+' },
  { words: '--dim batch=1:8:32 --hardware sameComputeCapability' },
  { words: '--dim batch=1:8:32 --strip-weights --refit' },
  { words: '--dim batch=1:8:32 --plugin libcustom.so --plugin libother.so' },
  { words: '--dim batch=1:8:32 --dla 0 --precision fp16' },
  { words: '--dim batch=1:8:32 --inference-streams 4 --no-cuda-graph --transfers --percentile 50,99.9 --duration 10s' },
  { words: '--dim batch=1:8:32 --no-measure' },
  { words: '--dim batch=1:8:32 --trtexec-verbose --trtexec-flag=--maxTactics=8' },
  { words: '--dim batch=1:8:32 --trtexec-flag=--workspace=2048' },
  { words: '--dim batch=1:8:32 --trtexec-flag=--maxTactic=8' },
  { words: '--dim batch=1:8:32 --trtexec-flag=--saveEngine=other.plan' },
  { words: '--dim batch=1:8:32 --trtexec-flag=--duration=9' },
];

const INPUTS = [{ name: 'input', dataType: 1, shape: ['batch', 3, 32, 32], typeText: 'float[batch,3,32,32]' }];

/** Arguments, with the working folder masked; what stands in the way where there are none. */
function render({ words, types = {} }: OptionSet, version: TensorRtVersion): string {
  const command = findCommand('tensorrt');
  if (!command) throw new Error('there is no such command');
  try {
    const { flags } = parseCommand(command, ['model.onnx', ...words.split(' ')]);
    const options = tensorRtOptions(flags, { env: {} });
    const graphTypes = { ...PLAIN, ...types };
    const precision = options.precision ?? 'model';
    const conversion = neededConversion(precision, version, graphTypes, options.dataPath !== undefined, false);
    const profiles = engineProfiles(INPUTS, options.dims ?? new Map(), options.profiles ?? [], 'model.onnx');
    const plan = buildPlan(
      {
        onnxPath: conversion === 'none' ? 'model.onnx' : `model.${conversion}.onnx`,
        enginePath: 'model.plan',
        graphTypes: conversion === 'none' ? graphTypes : typesAfter(conversion),
        profiles,
        exports: exportPaths('out'),
      },
      options,
    );
    const { argv, warnings } = renderPlan(plan, version);
    return [...argv, ...warnings.map((text) => `! ${text}`)].join('\n').replaceAll(`${process.cwd()}/`, '');
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    return `${error.code} ${error.message}\n  ${error.why ?? ''}\n  ${error.hint}`;
  }
}

const versionOf = (text: string): TensorRtVersion => {
  const version = parseVersion(text);
  if (!version) throw new Error(`${text} is no version`);
  return version;
};

describe.each(VERSIONS)('arguments for TensorRT %s', (text) => {
  const version = versionOf(text);
  it('are those of the golden file', () => {
    const path = join(GOLDEN, `${text}.txt`);
    const actual = `${SETS.map((set) => {
      const types = Object.keys(set.types ?? {});
      return `$ ${set.words}${types.length > 0 ? `  # graph with ${types.join(', ')}` : ''}\n${render(set, version)}`;
    }).join('\n\n')}\n`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, actual);
    expect(actual).toBe(readFileSync(path, 'utf8'));
  });

  it('hold no option that the version lacks, and none that does nothing in it', () => {
    const lines = SETS.flatMap((set) => render(set, version).split('\n')).filter((line) => line.startsWith('--'));
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) expect(flagState(line.split('=', 1)[0] ?? '', version), line).toBe('taken');
  });
});

describe('the table of options', () => {
  it('has the removals that the migration guide of TensorRT 11 lists', () => {
    const removed = [
      '--fp16',
      '--bf16',
      '--int8',
      '--fp8',
      '--int4',
      '--best',
      '--calib',
      '--precisionConstraints',
      '--layerPrecisions',
      '--layerOutputTypes',
    ];
    for (const name of removed) {
      expect(flagState(name, versionOf('11.0')), name).toBe('removed');
      expect(flagState(name, versionOf('10.16')), name).toBe('taken');
    }
    const idle = ['--stronglyTyped', '--noDataTransfers', '--useSpinWait', '--useCudaGraph', '--separateProfileRun'];
    for (const name of idle) expect(flagState(name, versionOf('11.1')), name).toBe('idle');
  });

  it('has the options that a log of 10.3 refuses', () => {
    for (const name of ['--workspace', '--buildOnly', '--explicitBatch'])
      expect(flagState(name, versionOf('10.3')), name).toBe('removed');
  });

  it('has spans in order', () => {
    const number = (text: string): number => {
      const { major, minor } = versionOf(text);
      return major * 100 + minor;
    };
    expect(TRTEXEC_FLAG_NAMES.length).toBeGreaterThan(150);
    for (const name of TRTEXEC_FLAG_NAMES) {
      const { since = '8.0', last = '11.1', idleSince = last } = flagRow(name) ?? {};
      expect(number(since), name).toBeLessThanOrEqual(number(last));
      expect(number(idleSince), name).toBeLessThanOrEqual(number(last));
    }
  });

  it('does not take the names of objects for options', () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(flagState(name, versionOf('10.16'))).toBe('unknown');
  });
});

describe('other versions', () => {
  const words = SETS[0] as OptionSet;
  it('are rendered as the nearest known one, with a warning', () => {
    expect(render(words, versionOf('12.3'))).toContain('! TensorRT 12.3.0 is newer than 11.1');
    expect(render(words, versionOf('7.2'))).toContain('! TensorRT 7.2.0 is older than 8.0');
    expect(render(words, versionOf('12.3')).split('\n! ')[0]).toBe(render(words, versionOf('11.1')));
  });

  it('before 8.4 take --workspace, and before 8.6 no builder level', () => {
    const text = render({ words: '--dim batch=8 --workspace 4GiB --builder-level 5 --no-measure' }, versionOf('8.2'));
    expect(text).toContain('--workspace=4096');
    expect(text).toContain('--buildOnly');
    expect(text).toContain('! trtexec of TensorRT 8.2.0 has no --builderOptimizationLevel');
  });
});

describe('arguments to measure an engine', () => {
  it('load one that holds a runtime, or is for a DLA core, as it was built', () => {
    for (const text of VERSIONS) {
      const built = { versionCompatible: true, dlaCore: 1 };
      const { argv } = renderPlan(loadPlan('model.plan', undefined, [], {}, built), versionOf(text));
      expect(argv, text).toContain('--versionCompatible');
      expect(argv, text).toContain('--useDLACore=1');
      expect(argv.includes('--useCudaGraph') || argv.includes('--noCudaGraph') !== text.startsWith('11')).toBe(false);
    }
  });

  it.each(VERSIONS)('are taken by TensorRT %s', (text) => {
    const version = versionOf(text);
    const shapes = [{ name: 'input', dims: [16, 3, 32, 32] }];
    const { argv } = renderPlan(loadPlan('model.plan', exportPaths('out'), shapes, {}), version);
    expect(argv[0]).toMatch(/^--loadEngine=.*model\.plan$/);
    expect(argv).toContain('--shapes=input:16x3x32x32');
    for (const word of argv) expect(flagState(word.split('=', 1)[0] ?? '', version), word).toBe('taken');
  });
});
