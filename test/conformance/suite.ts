/** Counting and printing for the long suites. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export class Suite {
  readonly name: string;
  passed = 0;
  failed = 0;
  skipped = 0;

  constructor(name: string) {
    this.name = name;
    print(`\n── ${name}`);
  }

  pass(): void {
    this.passed++;
  }

  fail(item: string, reason: string): void {
    this.failed++;
    print(`FAIL ${item}: ${reason}`);
  }

  skip(reason: string): void {
    this.skipped++;
    print(`skipped: ${reason}`);
  }

  close(note = ''): void {
    print(`${this.name}: ${this.passed} passed, ${this.failed} failed${note}`);
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Every .onnx file under a folder, in order of path. */
export function modelFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.onnx'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
