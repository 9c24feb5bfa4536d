import type { Accumulator } from '../accumulator.js';
import type { FeatureRow } from './feature-pairs.js';

/** How alike the geometry of two representations is, whatever their widths. */
export interface SimilarityResult {
  readonly rows: number;
  /** Linear centred kernel alignment; 1 for representations that are rotations of each other. NaN where one is constant. */
  readonly cka: number;
  /** The same without the bias that few samples bring; from 4 samples on. */
  readonly debiasedCka?: number;
}

/**
 * Linear CKA from sums over samples: x is the teacher's feature, y the student's. Memory is the square of their widths. Sources:
 * S. Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019; debiased: L. Song et al., "Feature
 * Selection via Dependence Maximization", JMLR 13 (2012).
 */
export class FeatureSimilarity implements Accumulator<FeatureRow, SimilarityResult> {
  readonly #x: Moments;
  readonly #y: Moments;
  /** Σ x yᵀ. */
  readonly #cross: Float64Array;
  /** Σ |x|²·|y|², Σ |y|²·x, Σ |x|²·y. */
  #squares = 0;
  readonly #xBySquareY: Float64Array;
  readonly #yBySquareX: Float64Array;
  #rows = 0;

  constructor(teacherWidth: number, studentWidth: number) {
    this.#x = new Moments(teacherWidth);
    this.#y = new Moments(studentWidth);
    this.#cross = new Float64Array(teacherWidth * studentWidth);
    this.#xBySquareY = new Float64Array(teacherWidth);
    this.#yBySquareX = new Float64Array(studentWidth);
  }

  observe({ teacher, student, teacherFrom, studentFrom }: FeatureRow): void {
    const x = teacher.subarray(teacherFrom, teacherFrom + this.#x.width);
    const y = student.subarray(studentFrom, studentFrom + this.#y.width);
    const squareX = this.#x.add(x);
    const squareY = this.#y.add(y);
    addOuter(this.#cross, x, y);
    this.#squares += squareX * squareY;
    addScaled(this.#xBySquareY, x, squareY);
    addScaled(this.#yBySquareX, y, squareX);
    this.#rows++;
  }

  merge(other: FeatureSimilarity): void {
    this.#x.merge(other.#x);
    this.#y.merge(other.#y);
    addScaled(this.#cross, other.#cross, 1);
    this.#squares += other.#squares;
    addScaled(this.#xBySquareY, other.#xBySquareY, 1);
    addScaled(this.#yBySquareX, other.#yBySquareX, 1);
    this.#rows += other.#rows;
  }

  result(): SimilarityResult {
    const n = this.#rows;
    const [x, y] = [this.#x, this.#y];
    const norm = (outer: Float64Array, a: Float64Array, b: Float64Array): number => {
      let sum = 0;
      for (let i = 0, at = 0; i < a.length; i++)
        for (let j = 0; j < b.length; j++, at++)
          sum += ((outer[at] as number) - ((a[i] as number) * (b[j] as number)) / n) ** 2;
      return sum;
    };
    const cross = norm(this.#cross, x.sum, y.sum);
    const own = Math.sqrt(norm(x.outer, x.sum, x.sum) * norm(y.outer, y.sum, y.sum));
    const debiased = n > 3 ? this.#debiased() : undefined;
    return { rows: n, cka: cross / own, ...(debiased === undefined ? {} : { debiasedCka: debiased }) };
  }

  #debiased(): number {
    const [x, y] = [this.#x, this.#y];
    const cross = unbiased(this.#rows, {
      frobenius: frobenius(this.#cross),
      diagonal: this.#squares,
      totalK: dot(x.sum, x.sum) - x.square,
      totalL: dot(y.sum, y.sum) - y.square,
      // Σ (x·Sx - |x|²)(y·Sy - |y|²) over samples.
      rows:
        bilinear(x.sum, this.#cross, y.sum) -
        dot(this.#xBySquareY, x.sum) -
        dot(this.#yBySquareX, y.sum) +
        this.#squares,
    });
    return cross / Math.sqrt(x.unbiased(this.#rows) * y.unbiased(this.#rows));
  }
}

/** Sums of one side. */
class Moments {
  readonly width: number;
  readonly sum: Float64Array;
  /** Σ z zᵀ. */
  readonly outer: Float64Array;
  /** Σ |z|², Σ |z|⁴, Σ |z|²·z. */
  square = 0;
  #fourth = 0;
  readonly #bySquare: Float64Array;

  constructor(width: number) {
    this.width = width;
    this.sum = new Float64Array(width);
    this.outer = new Float64Array(width * width);
    this.#bySquare = new Float64Array(width);
  }

  /** @returns |z|² */
  add(z: Float32Array | Float64Array): number {
    let square = 0;
    for (const value of z) square += value * value;
    addScaled(this.sum, z, 1);
    addOuter(this.outer, z, z);
    addScaled(this.#bySquare, z, square);
    this.square += square;
    this.#fourth += square * square;
    return square;
  }

  merge(other: Moments): void {
    addScaled(this.sum, other.sum, 1);
    addScaled(this.outer, other.outer, 1);
    addScaled(this.#bySquare, other.#bySquare, 1);
    this.square += other.square;
    this.#fourth += other.#fourth;
  }

  unbiased(rows: number): number {
    const total = dot(this.sum, this.sum) - this.square;
    return unbiased(rows, {
      frobenius: frobenius(this.outer),
      diagonal: this.#fourth,
      totalK: total,
      totalL: total,
      rows: bilinear(this.sum, this.outer, this.sum) - 2 * dot(this.#bySquare, this.sum) + this.#fourth,
    });
  }
}

/**
 * Linear CKA from the Gram matrices of few samples, whatever the widths of their features. The same figures as those of
 * `FeatureSimilarity`, from the other side.
 * @param n samples; the matrices are [n, n]
 */
export function gramSimilarity(gramX: Float64Array, gramY: Float64Array, n: number): SimilarityResult {
  const [sumsX, sumsY] = [rowSums(gramX, n), rowSums(gramY, n)];
  const centred = (a: Float64Array, sumsA: Float64Array, b: Float64Array, sumsB: Float64Array): number =>
    dot(a, b) - (2 / n) * dot(sumsA, sumsB) + (total(sumsA) * total(sumsB)) / n ** 2;
  const cross = centred(gramX, sumsX, gramY, sumsY);
  const own = Math.sqrt(centred(gramX, sumsX, gramX, sumsX) * centred(gramY, sumsY, gramY, sumsY));
  const base = { rows: n, cka: cross / own };
  if (n <= 3) return base;
  const debiased = (a: Float64Array, b: Float64Array): number => {
    const [sumsA, sumsB] = [rowSums(a, n), rowSums(b, n)];
    const sums = { frobenius: dot(a, b), diagonal: 0, totalK: total(sumsA), totalL: total(sumsB) };
    return unbiased(n, { ...sums, rows: dot(sumsA, sumsB) });
  };
  const [x, y] = [withoutDiagonal(gramX, n), withoutDiagonal(gramY, n)];
  return { ...base, debiasedCka: debiased(x, y) / Math.sqrt(debiased(x, x) * debiased(y, y)) };
}

function rowSums(matrix: Float64Array, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => total(matrix.subarray(i * n, (i + 1) * n)));
}

function withoutDiagonal(matrix: Float64Array, n: number): Float64Array {
  return matrix.map((value, at) => (at % (n + 1) === 0 ? 0 : value));
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** The unbiased estimate of HSIC from Gram matrices K and L with zero diagonals. */
function unbiased(
  n: number,
  sums: {
    readonly frobenius: number;
    readonly diagonal: number;
    readonly totalK: number;
    readonly totalL: number;
    readonly rows: number;
  },
): number {
  const trace = sums.frobenius - sums.diagonal;
  return (trace + (sums.totalK * sums.totalL) / ((n - 1) * (n - 2)) - (2 * sums.rows) / (n - 2)) / (n * (n - 3));
}

function addOuter(target: Float64Array, x: ArrayLike<number>, y: ArrayLike<number>): void {
  for (let i = 0, at = 0; i < x.length; i++) {
    const value = x[i] as number;
    for (let j = 0; j < y.length; j++, at++) target[at] = (target[at] as number) + value * (y[j] as number);
  }
}

function addScaled(target: Float64Array, values: ArrayLike<number>, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + scale * (values[i] as number);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function frobenius(matrix: Float64Array): number {
  return dot(matrix, matrix);
}

/** aᵀ M b. */
function bilinear(a: Float64Array, matrix: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0, at = 0; i < a.length; i++) {
    let row = 0;
    for (let j = 0; j < b.length; j++, at++) row += (matrix[at] as number) * (b[j] as number);
    sum += (a[i] as number) * row;
  }
  return sum;
}
