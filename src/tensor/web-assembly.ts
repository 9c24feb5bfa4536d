/** Of the global, which only the types of browsers declare, what is used here. Absent under `--jitless`. */
declare const WebAssembly:
  | {
      validate(bytes: Uint8Array): boolean;
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** What a module exports; undefined where WebAssembly is missing, or an instruction of the module, such as those of SIMD. */
export function instantiate(base64: string): unknown {
  if (typeof WebAssembly === 'undefined') return undefined;
  const code = new Uint8Array(Buffer.from(base64, 'base64'));
  if (!WebAssembly.validate(code)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
}
