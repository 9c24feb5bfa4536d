import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasConfig, recordedAnswers } from '../helpers/triton-cases.js';
import { allCases } from './refusals/all-cases.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/triton');

describe('records of a real tritonserver', () => {
  it('are of the cases of the table, each with its outcome', () => {
    const recorded = recordedAnswers().map(({ name, outcome, summary }) => ({ name, outcome, summary }));
    expect(recorded).toEqual(allCases().map(({ name, outcome, summary }) => ({ name, outcome, summary })));
  });

  it('stand beside the configurations that the server read', () => {
    for (const { name, models } of allCases()) {
      for (const [model, { config }] of Object.entries(models)) {
        expect(hasConfig(name, model), name).toBe(config !== undefined);
        if (config === undefined) continue;
        const path = join(FIXTURES, 'configs', name, model, 'config.pbtxt');
        expect(readFileSync(path).equals(Buffer.from(config)), path).toBe(true);
      }
    }
  });

  it('say why a model was refused, and give a request to each that was loaded', () => {
    for (const { name, outcome, error, log, status } of recordedAnswers()) {
      if (outcome === 'refused') expect(error ?? log[0], name).toBeTruthy();
      if (outcome === 'loaded') expect(status, name).toBe(200);
    }
  });

  it('take less than 500 kB with configurations and models', () => {
    const files = readdirSync(FIXTURES, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
    expect(bytes).toBeLessThan(500_000);
  });
});
