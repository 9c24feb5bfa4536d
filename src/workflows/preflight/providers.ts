import { ServeOptError } from '../../errors.js';
import { parseProviderChoice } from '../../runtime/provider-choice.js';
import { type ResolveOptions, resolveProviders } from '../../runtime/resolve-providers.js';
import type { ExecutionProvider } from '../../runtime/types.js';

/** Providers in order of preference, of what `--ep` gives. @throws SO1006 for what is not known, and for `auto`, which bench alone takes */
export function namedProviders(texts: readonly string[]): readonly ExecutionProvider[] {
  return texts.flatMap((text) => {
    const { auto, providers } = parseProviderChoice(text);
    if (!auto) return providers;
    throw new ServeOptError('SO1006', 'The execution provider "auto" works with bench only', {
      hint: 'serve-opt doctor shows which ones work here',
    });
  });
}

/**
 * Tries each provider on a tiny model in a process of its own, before any work is done for it; the CPU needs no trying.
 * @throws SO5005 with cause and fix for one that does not work here, SO5004, SO8130
 */
export async function checkProviders(texts: readonly string[] | undefined, options: ResolveOptions): Promise<void> {
  const providers = namedProviders(texts ?? []);
  if (providers.length > 0) await resolveProviders({ text: '', auto: false, providers }, options);
}
