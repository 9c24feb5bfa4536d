import { join } from 'node:path';
import { SpillFile } from '../../../codec/spill-file.js';
import type { WeightForm } from '../../../passes/quantize/weight-only/weight-tensors.js';
import { openWorkFolder } from '../../../runtime/work-folder.js';
import type { Tensor } from '../../../tensor/tensor.js';

/** Bytes of quantized weights that stay in memory; what comes later waits in a file. */
const MEMORY_BYTES = 64 * 2 ** 20;

/** Keeps quantized weights until the model is written: in memory as far as they are few. */
export class WeightStore {
  readonly #onClose: (close: () => Promise<void> | void) => void;
  #left = MEMORY_BYTES;
  #file: SpillFile | undefined;

  /** @param onClose is told what ends with the run */
  constructor(onClose: (close: () => Promise<void> | void) => void) {
    this.#onClose = onClose;
  }

  /** The same tensors, wherever they are kept. @throws SO6001 where the disk is full */
  async keep({ codes, scales, zeroPoints }: WeightForm): Promise<WeightForm> {
    return {
      codes: await this.#put(codes),
      scales: await this.#put(scales),
      zeroPoints: zeroPoints && (await this.#put(zeroPoints)),
    };
  }

  async #put(tensor: Tensor): Promise<Tensor> {
    this.#left -= tensor.byteLength;
    if (this.#left >= 0) return tensor;
    if (!this.#file) {
      const folder = await openWorkFolder();
      this.#onClose(() => folder.remove());
      const file = new SpillFile(join(folder.path, 'weights.bin'));
      this.#onClose(() => file.close());
      this.#file = file;
    }
    return this.#file.put(tensor);
  }
}
