import process from 'node:process';
import { ServeOptError } from '../errors.js';
import { EXECUTION_PROVIDERS, providerName } from './execution-providers.js';
import { type RuntimeHost, startRuntime } from './host.js';
import type { ProbeResult, VersionsResult } from './protocol.js';
import { providerFailure } from './provider-failure.js';
import type { ExecutionProvider } from './types.js';

/** Providers worth asking for although a build may not list them. */
const ALSO_PROBED = ['cuda', 'tensorrt'];

export interface RuntimeReport extends VersionsResult {
  readonly providers: readonly ProbeResult[];
}

/**
 * Versions, and for each execution provider whether it works on this machine and if not, why. Each is tried in a
 * process of its own, because a broken driver may take its process along.
 * @throws SO5004 when ONNX Runtime is not installed, SO8130 when aborted.
 */
export async function probeRuntime(options: { readonly signal?: AbortSignal } = {}): Promise<RuntimeReport> {
  const versions = await withHost(options, (host) => host.request('versions', undefined));
  const listed = versions.backends.map(({ name }) => EXECUTION_PROVIDERS.find((e) => e.native === name)?.name ?? name);
  const providers: ProbeResult[] = [];
  for (const provider of new Set([...listed, ...ALSO_PROBED])) providers.push(await probeProvider(provider, options));
  return { ...versions, providers };
}

/**
 * Tries one execution provider, in a process of its own; where it does not work the answer says what that means and
 * what to do.
 * @throws SO5004, SO8130
 */
export async function probeProvider(
  provider: ExecutionProvider,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ProbeResult> {
  const result = await probeInOwnProcess(provider, options);
  if (result.works) return result;
  return {
    ...result,
    ...providerFailure(providerName(provider), result.why ?? '', `${process.platform}-${process.arch}`),
  };
}

function probeInOwnProcess(
  provider: ExecutionProvider,
  options: { readonly signal?: AbortSignal },
): Promise<ProbeResult> {
  return withHost(options, async (host) => {
    try {
      const result = await host.request('probe', { provider });
      const output = result.works ? undefined : host.lastOutput();
      return output === undefined ? result : { ...result, why: `${result.why} (${output})` };
    } catch (error) {
      if (!(error instanceof ServeOptError) || error.code !== 'SO5003') throw error;
      const why = error.why ? `${error.message}: ${error.why}` : error.message;
      return { provider: providerName(provider), works: false, why };
    }
  });
}

async function withHost<T>(
  options: { readonly signal?: AbortSignal },
  use: (host: RuntimeHost) => Promise<T>,
): Promise<T> {
  const host = await startRuntime(options);
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}
