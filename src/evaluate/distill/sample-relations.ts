/** Terms of distillation that compare samples with each other, over all pairs and triples of them. */

/** Features of samples, [samples, width] in row-major order. */
export interface FeatureMatrix {
  readonly values: Float32Array | Float64Array;
  readonly samples: number;
  readonly width: number;
}

export interface RelationsResult {
  readonly samples: number;
  /** Relational distillation: smooth L1 of distances divided by their mean, and of the cosines of angles, over all pairs and triples. */
  readonly rkdDistance: number;
  readonly rkdAngle: number;
  /** Similarity-preserving distillation: |G_t - G_s|² / n² of Gram matrices with rows of length 1. */
  readonly similarityPreserving: number;
}

/**
 * Sources: W. Park et al., "Relational Knowledge Distillation", CVPR 2019; F. Tung, G. Mori, "Similarity-Preserving Knowledge
 * Distillation", ICCV 2019. Time grows with the cube of the samples. Pairs of one sample with itself count with 0, as in the
 * authors' code.
 */
export function sampleRelations(
  teacher: FeatureMatrix,
  student: FeatureMatrix,
  [gramT, gramS]: readonly [Float64Array, Float64Array] = [gramMatrix(teacher), gramMatrix(student)],
): RelationsResult {
  const n = teacher.samples;
  const [distanceT, distanceS] = [distances(gramT, n), distances(gramS, n)];
  return {
    samples: n,
    rkdDistance: meanSmoothL1(normalized(distanceT), normalized(distanceS)),
    rkdAngle: angleLoss(gramT, gramS, distanceT, distanceS, n),
    similarityPreserving: similarityLoss(gramT, gramS, n),
  };
}

/** Products of the features of each pair of samples, [samples, samples]. */
export function gramMatrix({ values, samples, width }: FeatureMatrix): Float64Array {
  const matrix = new Float64Array(samples * samples);
  for (let i = 0; i < samples; i++) {
    for (let j = i; j < samples; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += (values[i * width + k] as number) * (values[j * width + k] as number);
      matrix[i * samples + j] = matrix[j * samples + i] = sum;
    }
  }
  return matrix;
}

function distances(matrix: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const square = (matrix[i * n + i] as number) + (matrix[j * n + j] as number) - 2 * (matrix[i * n + j] as number);
      out[i * n + j] = i === j ? 0 : Math.sqrt(Math.max(0, square));
    }
  }
  return out;
}

/** Divided by the mean of those above 0. */
function normalized(values: Float64Array): Float64Array {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (value <= 0) continue;
    sum += value;
    count++;
  }
  return count === 0 ? values : values.map((value) => (value * count) / sum);
}

function smoothL1(difference: number): number {
  const size = Math.abs(difference);
  return size < 1 ? 0.5 * size * size : size - 0.5;
}

function meanSmoothL1(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += smoothL1((a[i] as number) - (b[i] as number));
  return sum / a.length;
}

/** Over triples i, j, k: the cosine of the angle at j, from Gram matrices alone. */
function angleLoss(
  gramT: Float64Array,
  gramS: Float64Array,
  distanceT: Float64Array,
  distanceS: Float64Array,
  n: number,
): number {
  let sum = 0;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      for (let k = i; k < n; k++) {
        const t = cosine(gramT, distanceT, n, i, j, k);
        const s = cosine(gramS, distanceS, n, i, j, k);
        sum += (i === k ? 1 : 2) * smoothL1(t - s);
      }
    }
  }
  return sum / n ** 3;
}

function cosine(matrix: Float64Array, distance: Float64Array, n: number, i: number, j: number, k: number): number {
  const lengths = (distance[i * n + j] as number) * (distance[k * n + j] as number);
  if (lengths === 0) return 0;
  const product =
    (matrix[i * n + k] as number) -
    (matrix[i * n + j] as number) -
    (matrix[j * n + k] as number) +
    (matrix[j * n + j] as number);
  return product / lengths;
}

function similarityLoss(gramT: Float64Array, gramS: Float64Array, n: number): number {
  const norm = (matrix: Float64Array, row: number): number => {
    let square = 0;
    for (let j = 0; j < n; j++) square += (matrix[row * n + j] as number) ** 2;
    return square > 0 ? Math.sqrt(square) : 1;
  };
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const [normT, normS] = [norm(gramT, i), norm(gramS, i)];
    for (let j = 0; j < n; j++)
      sum += ((gramT[i * n + j] as number) / normT - (gramS[i * n + j] as number) / normS) ** 2;
  }
  return sum / n ** 2;
}
