/** Figures of each row, at any temperature. */
export const ROW_FIGURES = [
  'confidenceTeacher',
  'confidenceStudent',
  'nllTeacher',
  'nllStudent',
  'brierTeacher',
  'brierStudent',
  'jensenShannon',
  'totalVariation',
  'logitError',
  'standardizedError',
  'rankCorrelation',
] as const;
export type RowFigure = (typeof ROW_FIGURES)[number];

/** Figures of each row that depend on the temperature. */
export const HEAT_FIGURES = ['kl', 'reverseKl', 'entropyTeacher', 'inter', 'targetKl', 'otherKl'] as const;
export type HeatFigure = (typeof HEAT_FIGURES)[number];

/** Whole numbers of each row. Labels are -1 where a row has none, and so are the ranks of labels. */
export const ROW_CLASSES = [
  'label',
  'predictionTeacher',
  'predictionStudent',
  'rankTeacher',
  'rankStudent',
  'shared',
] as const;
export type RowClass = (typeof ROW_CLASSES)[number];

/** The memory of `RowColumns`, which threads share. */
export interface ColumnBuffers {
  readonly rows: number;
  readonly temperatures: number;
  readonly figures: SharedArrayBuffer;
  readonly classes: SharedArrayBuffer;
}

/** What is kept of each row (a sample, or a token of one): some two hundred bytes, whatever the number of classes. */
export class RowColumns {
  readonly buffers: ColumnBuffers;

  constructor(buffers: ColumnBuffers) {
    this.buffers = buffers;
  }

  static ofRows(rows: number, temperatures: number): RowColumns {
    const figures = ROW_FIGURES.length + HEAT_FIGURES.length * temperatures;
    return new RowColumns({
      rows,
      temperatures,
      figures: new SharedArrayBuffer(figures * rows * Float64Array.BYTES_PER_ELEMENT),
      classes: new SharedArrayBuffer(ROW_CLASSES.length * rows * Int32Array.BYTES_PER_ELEMENT),
    });
  }

  get rows(): number {
    return this.buffers.rows;
  }

  figure(name: RowFigure): Float64Array {
    return this.#column(ROW_FIGURES.indexOf(name));
  }

  /** @param temperature its index */
  heat(temperature: number, name: HeatFigure): Float64Array {
    return this.#column(ROW_FIGURES.length + temperature * HEAT_FIGURES.length + HEAT_FIGURES.indexOf(name));
  }

  classes(name: RowClass): Int32Array {
    const { rows, classes } = this.buffers;
    return new Int32Array(classes, ROW_CLASSES.indexOf(name) * rows * Int32Array.BYTES_PER_ELEMENT, rows);
  }

  #column(index: number): Float64Array {
    const { rows, figures } = this.buffers;
    return new Float64Array(figures, index * rows * Float64Array.BYTES_PER_ELEMENT, rows);
  }
}
