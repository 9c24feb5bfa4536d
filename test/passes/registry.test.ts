import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as api from '../../src/passes/index.js';
import { PASSES, passOptions } from '../../src/passes/registry.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'src', 'passes');
const definitions = PASSES.map((pass) => pass.definition);

describe('the registry of passes', () => {
  it('lists every pass in src/passes, each in the folder of its group and the file of its name', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
      .filter(
        (path) => path.endsWith('.ts') && /= define(Pass|Rewrite)[<(]/.test(readFileSync(join(FOLDER, path), 'utf8')),
      )
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => !path.startsWith('engine/'));
    // Those of a large group stand in rooms.
    const places = files.map((path) => `${path.split('/')[0]}/${path.split('/').at(-1)}`);
    expect(definitions.map(({ group, name }) => `${group}/${name}.ts`).sort()).toEqual(places.sort());
  });

  it.each(definitions)('gives $name metadata that help and documents can show', (definition) => {
    const { name, summary, opset } = definition;
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(summary).toMatch(/^[A-Z]/);
    expect(summary.length).toBeLessThan(120);
    expect(opset[1] ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(opset[0]);
    for (const row of passOptions(definition).values()) expect(row.description).not.toBe('');
  });

  it.each(definitions)('exports $name from serve-opt/passes under its name in camel case', ({ name }) => {
    const factory = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const exported = (api as unknown as Readonly<Record<string, { definition?: { name: string } }>>)[factory];
    expect(exported?.definition?.name).toBe(name);
  });
});
