import { providerName } from '../../runtime/execution-providers.js';
import type { ProbeResult } from '../../runtime/protocol.js';
import { parseProviderChoice } from '../../runtime/provider-choice.js';
import { resolveProviders } from '../../runtime/resolve-providers.js';
import type { BenchProvider } from './plan.js';

/**
 * What the items of `--ep` come to on this machine, each an alternative to measure.
 * @throws SO1006 for an unknown name or option, SO5005 for what was asked for and does not work here
 */
export async function chooseProviders(
  texts: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<{ readonly providers: readonly BenchProvider[]; readonly notes: readonly string[] }> {
  const choices = texts.map(parseProviderChoice);
  const known = new Map<string, ProbeResult>();
  const { signal } = options;
  const providers = new Map<string, BenchProvider>();
  const notes: string[] = [];
  for (const choice of choices) {
    const resolved = await resolveProviders(choice, { ...(signal ? { signal } : {}), known });
    const { label } = resolved;
    providers.set(label, {
      text: label,
      names: resolved.providers.map(providerName),
      executionProviders: resolved.providers,
    });
    notes.push(...resolved.notes);
  }
  return { providers: [...providers.values()], notes };
}
