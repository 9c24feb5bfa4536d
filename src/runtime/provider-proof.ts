import { ServeOptError } from '../errors.js';
import { EXECUTION_PROVIDERS, providerEntry, providerName } from './execution-providers.js';
import type { ProfileReport } from './profile.js';
import type { ExecutionProvider } from './types.js';

/** Copies between host and device, which ONNX Runtime puts in: they compute nothing. */
const COPIES: ReadonlySet<string> = new Set(['MemcpyToHost', 'MemcpyFromHost']);
/** Operators to name in a warning. */
const MOST_NAMED = 4;

/**
 * Looks in a profile whether a model ran where it was to run. ONNX Runtime accepts a provider and then gives the CPU
 * every node that the provider has no kernel for, without a word.
 * @returns warnings, where other providers took part
 * @throws SO5005 when none of the providers asked for, the CPU aside, ran a node
 */
export function proveProviders(profile: ProfileReport, asked: readonly ExecutionProvider[]): readonly string[] {
  const wanted = asked.map(providerName).filter((name) => name !== 'cpu');
  if (wanted.length === 0) return [];
  const computing = profile.operators.filter(({ opType }) => !COPIES.has(opType));
  let all = 0;
  const nodes = new Map<string, number>();
  for (const { provider, nodes: count } of computing) {
    nodes.set(provider, (nodes.get(provider) ?? 0) + count);
    all += count;
  }
  const ran = (name: string): number => nodes.get(profileName(name)) ?? 0;
  const title = (name: string): string => providerEntry(name)?.title ?? name;

  if (wanted.every((name) => ran(name) === 0)) {
    throw new ServeOptError('SO5005', `ONNX Runtime accepted ${wanted.join(' and ')} but ran ${noneOf(all)} there`, {
      why: all === 0 ? 'The model computes nothing that depends on its inputs' : `They ran on ${places(nodes)}`,
      hint: 'its times would be those of another provider: measure with --ep cpu, or look at the operators with --profile',
    });
  }
  const warnings: string[] = [];
  for (const name of wanted) if (ran(name) === 0) warnings.push(`${title(name)} ran 0 of ${all} nodes`);
  const wantedNames = new Set(wanted.map(profileName));
  const elsewhere = computing.filter(({ provider }) => !wantedNames.has(provider));
  let count = 0;
  for (const operator of elsewhere) count += operator.nodes;
  if (count > 0) {
    const types = [...new Set(elsewhere.map(({ opType }) => opType))];
    const named = types.slice(0, MOST_NAMED).join(', ') + (types.length > MOST_NAMED ? ', …' : '');
    const others = places(new Map([...nodes].filter(([provider]) => !wantedNames.has(provider))));
    warnings.push(`${count} of ${all} nodes did not run on ${wanted.map(title).join(' or ')}: ${others} (${named})`);
  }
  return warnings;
}

function noneOf(all: number): string {
  return all === 0 ? 'nothing' : `none of ${all} node${all === 1 ? '' : 's'}`;
}

function profileName(name: string): string {
  return providerEntry(name)?.profileName ?? name;
}

/** `CUDA (12), the CPU (3)`. */
function places(nodes: ReadonlyMap<string, number>): string {
  return [...nodes]
    .map(([provider, count]) => {
      const entry = EXECUTION_PROVIDERS.find((candidate) => candidate.profileName === provider);
      return `${entry?.title ?? provider} (${count})`;
    })
    .join(', ');
}
