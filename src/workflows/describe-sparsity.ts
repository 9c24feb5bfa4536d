import { gzipSync } from 'node:zlib';
import type { Model } from '../ir/model.js';
import { nodeLabel } from '../ir/problem.js';
import { type LayerWeight, layerWeights } from '../prune/layer-weights.js';
import { SPARSE_RUNTIMES, type SparseLayer } from '../prune/sparse-runtimes.js';
import { type WeightSparsity, weightSparsity } from '../prune/sparsity.js';
import type { LayerSparsityReport, SparsityReport } from '../report/sparsity-types.js';

/** Weights are compressed in pieces of this many bytes … */
const PIECE_BYTES = 65_536;
/** … and in at most so many of them, spread evenly. */
const MOST_PIECES = 32;
/** With fewer zeros, weights do not compress. */
const LEAST_SHARE = 0.02;

/** Bytes of the weights that `describeSparsity` reads. */
export function layerWeightBytes(model: Model): number {
  return layerWeights(model).reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
}

/** Zeros and N:M patterns of the weights of layers, and what runtimes make of them. Reads each weight once, in pieces. */
export function describeSparsity(model: Model): SparsityReport {
  const weights = layerWeights(model);
  const bytes = weights.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
  const sampler = new Sampler(Math.max(PIECE_BYTES, bytes / MOST_PIECES));
  const rows = weights.map((weight) => ({
    weight,
    sparsity: weightSparsity(weight.tensor, weight.inputAxis, (chunk) => sampler.pass(chunk)),
  }));
  const elements = rows.reduce((sum, { sparsity }) => sum + sparsity.elements, 0);
  const zeros = rows.reduce((sum, { sparsity }) => sum + sparsity.zeros, 0);
  const layers = rows.map(
    ({ weight: { node, tensor, inputAxis }, sparsity }): SparseLayer => ({
      opType: node.opType,
      dims: tensor.dims,
      inputAxis,
      sparsity,
    }),
  );
  return {
    elements,
    zeros,
    bytes,
    ...(zeros > LEAST_SHARE * elements ? { estimatedCompressedBytes: Math.round(bytes * sampler.ratio()) } : {}),
    layers: rows.map(({ weight, sparsity }) => layerReport(weight, sparsity)),
    runtimes: SPARSE_RUNTIMES.map(({ name, needs, uses }) => ({
      name,
      needs,
      layers: uses ? layers.filter(uses).length : 0,
    })),
  };
}

function layerReport(
  { node, value, inputAxis }: LayerWeight,
  { elements, zeros, pattern }: WeightSparsity,
): LayerSparsityReport {
  const shared = { node: nodeLabel(node), opType: node.opType, weight: value.name, elements, zeros };
  if (!pattern) return shared;
  const { kept, of, axis } = pattern;
  return { ...shared, pattern: { name: `${kept}:${of}`, axis, alongInputs: axis === inputAxis } };
}

/** Keeps a piece of what passes at even distances. */
class Sampler {
  readonly #distance: number;
  readonly #pieces: Uint8Array[] = [];
  #passed = 0;
  #next = 0;

  constructor(distance: number) {
    this.#distance = distance;
  }

  pass(chunk: Uint8Array): void {
    while (this.#next < this.#passed + chunk.byteLength) {
      const from = Math.max(0, this.#next - this.#passed);
      this.#pieces.push(chunk.slice(from, from + PIECE_BYTES));
      this.#next += this.#distance;
    }
    this.#passed += chunk.byteLength;
  }

  /** Compressed over raw bytes; 1 where nothing passed. */
  ratio(): number {
    let [raw, compressed] = [0, 0];
    for (const piece of this.#pieces) {
      raw += piece.byteLength;
      compressed += gzipSync(piece).byteLength;
    }
    return raw === 0 ? 1 : Math.min(1, compressed / raw);
  }
}
