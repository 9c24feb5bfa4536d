import type { Accumulator } from '../accumulator.js';
import type { FeatureRow } from './feature-pairs.js';
import { gramSimilarity, type SimilarityResult } from './feature-similarity.js';
import { type FeatureMatrix, gramMatrix, type RelationsResult, sampleRelations } from './sample-relations.js';

/** Triples of samples grow with the cube. */
const MOST_RELATED = 256;
/** Elements of the features of related samples. */
const MOST_ELEMENTS = 1 << 24;

export interface SampledRelations {
  /** Absent of less than 3 samples. */
  readonly relations?: RelationsResult;
  /** CKA of the same samples. Absent of less than 3 samples. */
  readonly similarity?: SimilarityResult;
  /** Samples that were observed. */
  readonly observed: number;
}

interface Kept {
  readonly hash: number;
  readonly teacher: Float64Array;
  readonly student: Float64Array;
}

/**
 * Relations of at most 256 of the samples: those of the least hash of the teacher's feature, so that neither order nor batches matter.
 */
export class RelatedSamples implements Accumulator<FeatureRow, SampledRelations> {
  readonly #widths: readonly [number, number];
  readonly #most: number;
  readonly #kept: Kept[] = [];
  #observed = 0;

  constructor(teacherWidth: number, studentWidth: number) {
    this.#widths = [teacherWidth, studentWidth];
    this.#most = Math.min(MOST_RELATED, Math.floor(MOST_ELEMENTS / Math.max(teacherWidth, studentWidth)));
  }

  observe({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    this.#observed++;
    const t = teacher.subarray(teacherFrom, teacherFrom + this.#widths[0]);
    const s = student.subarray(studentFrom, studentFrom + this.#widths[1]);
    this.#keep(hashOf(t), () => ({ teacher: Float64Array.from(t), student: Float64Array.from(s) }));
  }

  merge(other: RelatedSamples): void {
    this.#observed += other.#observed;
    for (const kept of other.#kept) this.#keep(kept.hash, () => kept);
  }

  result(): SampledRelations {
    const samples = this.#kept.length;
    if (samples < 3) return { observed: this.#observed };
    const matrix = (side: 'teacher' | 'student', width: number): FeatureMatrix => {
      const values = new Float64Array(samples * width);
      for (const [i, kept] of this.#kept.entries()) values.set(kept[side], i * width);
      return { values, samples, width };
    };
    const [teacher, student] = [matrix('teacher', this.#widths[0]), matrix('student', this.#widths[1])];
    const grams = [gramMatrix(teacher), gramMatrix(student)] as const;
    return {
      relations: sampleRelations(teacher, student, grams),
      similarity: gramSimilarity(...grams, samples),
      observed: this.#observed,
    };
  }

  #keep(hash: number, features: () => Omit<Kept, 'hash'>): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length === this.#most && last && hash >= last.hash) return;
    const at = this.#kept.findIndex((other) => other.hash > hash);
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, { hash, ...features() });
    if (this.#kept.length > this.#most) this.#kept.pop();
  }
}

/** FNV-1a of the values as FLOAT. */
export function hashOf(row: Float32Array | Float64Array): number {
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(Float32Array.from(row).buffer)) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}
