import { isJsonObject } from '../../../json-object.js';
import { suggest } from '../../../suggest.js';
import { readYamlMapping } from '../../yaml-text.js';
import { type MarContents, textOf } from './mar-contents.js';
import type { Reporter } from './mar-finding.js';

/** Why TorchServe does not take a value; undefined where it does. */
type ValueRule = (value: unknown) => string | undefined;

const whole: ValueRule = (value) =>
  typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31
    ? undefined
    : 'it must be a whole number';
const atLeast =
  (least: number): ValueRule =>
  (value) =>
    whole(value) ?? ((value as number) >= least ? undefined : `it must be at least ${least}`);
const flag: ValueRule = (value) => (typeof value === 'boolean' ? undefined : 'it must be true or false');
const oneOf =
  (...words: readonly string[]): ValueRule =>
  (value) =>
    typeof value === 'string' && words.includes(value.toLowerCase()) ? undefined : `it must be ${words.join(', ')}`;
const mapping: ValueRule = (value) => (isJsonObject(value) ? undefined : 'it must be a mapping');
const numbers: ValueRule = (value) =>
  Array.isArray(value) && value.every((each) => atLeast(0)(each) === undefined)
    ? undefined
    : 'it must be a list of whole numbers';

/** Keys that TorchServe reads, with what it takes (0.12). Others are for the handler. */
const KEYS: ReadonlyMap<string, ValueRule> = new Map([
  ['minWorkers', atLeast(1)],
  ['maxWorkers', atLeast(0)],
  ['batchSize', atLeast(1)],
  ['maxBatchDelay', atLeast(0)],
  ['responseTimeout', atLeast(1)],
  ['startupTimeout', atLeast(1)],
  ['deviceType', oneOf('cpu', 'gpu')],
  ['deviceIds', numbers],
  ['parallelType', oneOf('pp', 'tp', 'pptp', 'custom')],
  ['parallelLevel', atLeast(1)],
  ['torchrun', mapping],
  ['maxRetryTimeoutInSec', atLeast(1)],
  ['clientTimeoutInMills', atLeast(0)],
  ['jobQueueSize', atLeast(1)],
  ['useJobTicket', flag],
  ['sequenceMaxIdleMSec', atLeast(1)],
  ['sequenceTimeoutMSec', atLeast(1)],
  ['maxSequenceJobQueueSize', atLeast(1)],
  ['maxNumSequence', atLeast(1)],
  ['continuousBatching', flag],
  ['sequenceBatching', flag],
  ['asyncCommunication', flag],
  ['useVenv', flag],
]);

/** Keys that handlers and examples of TorchServe use. */
const HANDLER_KEYS: ReadonlySet<string> = new Set([
  'handler',
  'pt2',
  'pippy',
  'deepspeed',
  'dali',
  'micro_batching',
  'ipex',
  'torch_trt',
  'custom',
  'metadata',
  'description',
  'name',
  'version',
]);

/** The model's YAML: what TorchServe cannot read, and what it would ignore. */
export function checkConfig(path: string, contents: MarContents, report: Reporter): void {
  const text = textOf(contents, path);
  if (text === undefined) {
    report('error', 'config-yaml', path, {
      what: 'the configuration is not UTF-8, or too large',
      why: 'the worker fails to start',
      fix: 'write it again',
    });
    return;
  }
  const { problems, entries } = readYamlMapping(text);
  for (const { message, line, column } of problems.slice(0, 10)) {
    report('error', 'config-yaml', path, {
      what: `this is not valid YAML: ${message.split('\n')[0]}`,
      why: 'the worker fails to start',
      fix: 'correct the YAML',
      line,
      column,
    });
  }
  if (problems.length > 0) return;
  if (entries === undefined) {
    report('error', 'config-yaml', path, {
      what: 'the configuration is not a mapping of keys to values',
      why: 'neither TorchServe nor handlers can read it',
      fix: 'write keys and values, such as "batchSize: 8"',
      line: 1,
      column: 1,
    });
    return;
  }
  if (entries.length === 0) {
    report('error', 'config-yaml', path, {
      what: 'the configuration is empty',
      why: 'TorchServe refuses the archive with a NullPointerException',
      fix: 'add a key, such as "batchSize: 1", or take "configFile" out of the manifest',
    });
  }
  const values = new Map<string, unknown>();
  for (const { key, value, line, column } of entries) {
    if (values.has(key)) {
      report('warning', 'config-duplicate', path, {
        what: `"${key}" is there twice`,
        why: 'the last value counts',
        fix: 'keep one of them',
        line,
        column,
      });
    }
    values.set(key, value);
    const why = KEYS.get(key)?.(value);
    if (why !== undefined) {
      report('warning', 'config-value', path, {
        what: `${key} is ${shown(value)}: ${why}`,
        why: 'TorchServe logs that and takes its default',
        fix: 'correct the value',
        line,
        column,
      });
    }
    if (KEYS.has(key) || HANDLER_KEYS.has(key)) continue;
    const near = suggest(key, [...KEYS.keys()]);
    if (near !== undefined) {
      report('warning', 'config-key', path, {
        what: `the key "${key.slice(0, 80)}" is unknown`,
        why: 'TorchServe leaves it to the handler',
        fix: `did you mean "${near}"?`,
        line,
        column,
      });
    }
  }
  const [least, most] = [values.get('minWorkers'), values.get('maxWorkers')];
  if (typeof least === 'number' && typeof most === 'number' && most < least) {
    const place = entries.find(({ key }) => key === 'maxWorkers');
    report('warning', 'config-workers', path, {
      what: `maxWorkers is ${most}, less than minWorkers ${least}`,
      why: 'TorchServe starts minWorkers',
      fix: `write maxWorkers: ${least}`,
      ...(place ? { line: place.line, column: place.column } : {}),
    });
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
