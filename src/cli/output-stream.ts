/** An output stream as far as the command line uses it. `process.stdout` is one, and so is any Writable. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number | undefined };
