/** How data that is not arrays became inputs. */
export interface ReadingReport {
  /** All of it in words. */
  readonly summary: string;
  /** What becomes of each image, in the order of the fields; `resize` none, stretch, crop, pad or short. */
  readonly preprocess?: {
    readonly width: number;
    readonly height: number;
    readonly layout: string;
    readonly mode: string;
    readonly color: string;
    readonly resize: string;
    readonly shortSide: number | null;
    readonly resizeWidth: number;
    readonly resizeHeight: number;
    readonly cut: boolean;
    readonly kernel: string;
    readonly scale: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  /** File of the tokenizer. */
  readonly tokenizer?: string;
  /** Tokens of a sample, where they were given. */
  readonly maxLength?: number;
  /** File of labels or names of classes. */
  readonly labels?: string;
}
