/** What `FileHash` and its thread say to each other: plain data. */

/** Bytes to hash up to; `last` asks for the digest then. */
export interface HashRequest {
  readonly untilBytes: number;
  readonly last: boolean;
}

export interface HashReply {
  readonly digest?: string;
  readonly failure?: HashFailure;
}

/** Why a file could not be read to the byte that was asked for. */
export type HashFailure =
  | { readonly kind: 'shorter'; readonly code?: undefined }
  | { readonly kind: 'error'; readonly code: string };

/** Of an error that reading gave. */
export function failureOf(error: unknown): HashFailure {
  return { kind: 'error', code: (error as NodeJS.ErrnoException | undefined)?.code ?? String(error) };
}
