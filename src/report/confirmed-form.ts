/** What outputs of a form of a model were like on the judging samples. */
export interface ConfirmedForm {
  readonly samples?: number;
  /** Signal to noise on each part of the samples, mean over outputs; absent where nothing could be compared. */
  readonly sqnrDb?: readonly number[];
  /** Share of equal predictions, mean over outputs with scores of classes. */
  readonly agreement?: number;
  /** Why it could not be run. */
  readonly failed?: string;
}
