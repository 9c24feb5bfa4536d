/** The checker of the onnx package, in a process that is asked about one model after another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { OnnxPackage } from './onnx-package.js';

export class OnnxChecker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(root: string, onnx: OnnxPackage) {
    this.#child = spawn(onnx.python, [join(root, 'scripts', 'check-onnx-models.py')], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, PYTHONPATH: onnx.folder },
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** Undefined where it accepts the model, else what it says. @throws when the process has ended */
  async complaint(path: string): Promise<string | undefined> {
    this.#child.stdin?.write(`${path}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the checker of onnx has ended; onnx cannot be imported');
    const verdict = JSON.parse(value) as true | string;
    return verdict === true ? undefined : verdict;
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
