/** Placeholder until the sniffing table lands. */
export function sniffFormat(_head: Uint8Array): { format: string; hint: string } | undefined {
  return undefined;
}
