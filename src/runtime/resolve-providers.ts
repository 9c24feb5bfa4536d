import { existsSync, readdirSync } from 'node:fs';
import process from 'node:process';
import { ServeOptError } from '../errors.js';
import { formatProvider, providerEntry, providerName } from './execution-providers.js';
import type { ProbeResult } from './protocol.js';
import type { ProviderChoice } from './provider-choice.js';
import { platformFailure } from './provider-failure.js';
import { probeProvider } from './providers.js';
import type { ExecutionProvider } from './types.js';

export interface ResolveOptions {
  readonly signal?: AbortSignal;
  /** Answers so far, by `formatProvider`: ask each provider once for many configurations. Added to. */
  readonly known?: Map<string, ProbeResult>;
  /** For tests. */
  readonly probe?: (provider: ExecutionProvider) => Promise<ProbeResult>;
  /** `linux-x64`; default this machine's. For tests. */
  readonly platform?: string;
  /** Whether the machine has a GPU that Vulkan could use; default: looked for on Linux, else assumed. */
  readonly hasGraphicsDevice?: boolean;
}

export interface ResolvedProviders {
  /** What to make sessions with. */
  readonly providers: readonly ExecutionProvider[];
  /** The first of them, for labels: `cuda:deviceId=1`. */
  readonly label: string;
  /** For `auto`: what was taken and why nothing before it; sentences for people. */
  readonly notes: readonly string[];
}

/**
 * Order in which `auto` tries: the vendor's own first, WebGPU after them. TensorRT is left out: it builds an engine for
 * minutes when a session is created, which nobody asked for who wrote `auto`.
 */
export const AUTO_ORDER: readonly string[] = ['cuda', 'coreml', 'directml', 'webgpu'];

/**
 * Providers that are known to work here. Each that was asked for is tried on a tiny model in a process of its own;
 * `auto` takes the first of `AUTO_ORDER` that works, else the CPU.
 * @throws SO5005 with cause and fix when one that was asked for does not work, SO5004, SO8130
 */
export async function resolveProviders(
  choice: ProviderChoice,
  options: ResolveOptions = {},
): Promise<ResolvedProviders> {
  if (choice.auto) return resolveAuto(options);
  for (const provider of choice.providers) {
    if (providerName(provider) === 'cpu') continue;
    const result = await probeOnce(provider, options);
    if (!result.works) throw unavailable(provider, result);
  }
  return { providers: choice.providers, label: choice.providers.map(formatProvider).join('+'), notes: [] };
}

async function resolveAuto(options: ResolveOptions): Promise<ResolvedProviders> {
  const { platform = `${process.platform}-${process.arch}` } = options;
  const without: string[] = [];
  for (const provider of AUTO_ORDER) {
    // Nobody on Linux wants to read that there is no DirectML.
    if (platformFailure(provider, platform)) continue;
    if (provider === 'webgpu' && !(options.hasGraphicsDevice ?? hasGraphicsDevice(platform))) {
      without.push('webgpu: no graphics device; drivers that compute on the CPU are slower than the CPU provider');
      continue;
    }
    const result = await probeOnce(provider, options);
    if (result.works)
      return { providers: [provider], label: provider, notes: [`auto chooses ${provider}`, ...without] };
    without.push(`${provider}: ${result.cause ?? result.why ?? 'it does not work'}`);
  }
  return { providers: ['cpu'], label: 'cpu', notes: ['auto chooses the CPU', ...without] };
}

async function probeOnce(provider: ExecutionProvider, options: ResolveOptions): Promise<ProbeResult> {
  const key = formatProvider(provider);
  const known = options.known?.get(key);
  if (known) return known;
  const probe = options.probe ?? ((asked: ExecutionProvider) => probeProvider(asked, options));
  const result = await probe(provider);
  options.known?.set(key, result);
  return result;
}

function unavailable(provider: ExecutionProvider, { cause, why, fix }: ProbeResult): ServeOptError {
  const title = providerEntry(providerName(provider))?.title ?? providerName(provider);
  const short = cause ?? why ?? 'no reason given';
  return new ServeOptError('SO5005', `${title} does not work here: ${short}`, {
    // What ONNX Runtime said fills a screen; doctor -v shows it.
    cause: why,
    hint: fix ?? 'serve-opt doctor -v; or --ep auto, which chooses one that works',
  });
}

/** Render nodes of GPUs, NVIDIA's own device files, and the GPU of the Windows Subsystem for Linux. */
function hasGraphicsDevice(platform: string): boolean {
  if (!platform.startsWith('linux')) return true;
  if (existsSync('/dev/nvidiactl') || existsSync('/dev/dxg')) return true;
  try {
    return readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  } catch {
    return false;
  }
}
