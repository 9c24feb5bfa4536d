import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Field tags and lengths of a node or initializer message, about. */
const MESSAGE_OVERHEAD_BYTES = 12;

/** Bytes that a node takes in a file, without its subgraphs' nodes: tensors in attributes exactly, the rest about. */
export function nodeFileBytes(node: Node): number {
  let bytes = MESSAGE_OVERHEAD_BYTES + node.name.length + node.opType.length;
  for (const input of node.inputs) bytes += 2 + (input?.name.length ?? 0);
  for (const output of node.outputs) bytes += 2 + (output?.name.length ?? 0);
  for (const { name, value } of node.attributes.values()) {
    bytes += 6 + name.length;
    if (value.kind === 'tensor') bytes += value.value.byteLength;
    else if (Array.isArray(value.value)) bytes += 2 * value.value.length;
  }
  return bytes;
}

/** Bytes that an initializer takes in a file. */
export function initializerFileBytes(name: string, tensor: Tensor): number {
  return MESSAGE_OVERHEAD_BYTES + name.length + 2 * tensor.rank + tensor.byteLength;
}

/** Keeps count of how much larger or smaller than at the start the file of a model would be. */
export class SizeLedger {
  readonly #allowanceBytes: number;
  readonly #constants: Map<Value, number> = new Map();
  #growthBytes = 0;

  /** @param allowanceBytes how much larger the file may become, Infinity for no limit */
  constructor(allowanceBytes: number) {
    this.#allowanceBytes = allowanceBytes;
  }

  /** Bytes gained since the start; negative when the model shrank. */
  get growthBytes(): number {
    return this.#growthBytes;
  }

  mayGrow(bytes: number): boolean {
    return bytes <= 0 || this.#growthBytes + bytes <= this.#allowanceBytes;
  }

  nodeMoved(node: Node, sign: 1 | -1): void {
    this.#growthBytes += sign * nodeFileBytes(node);
  }

  constantMoved(value: Value, sign: 1 | -1): void {
    if (sign < 0) {
      const bytes = this.#constants.get(value) ?? (value.tensor ? initializerFileBytes(value.name, value.tensor) : 0);
      this.#constants.delete(value);
      this.#growthBytes -= bytes;
    } else if (value.tensor) {
      const bytes = initializerFileBytes(value.name, value.tensor);
      this.#constants.set(value, bytes);
      this.#growthBytes += bytes;
    }
  }
}
