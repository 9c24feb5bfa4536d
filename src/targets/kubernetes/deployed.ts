import type { Measurements } from './measurements.js';
import { objectName, versionedName } from './names.js';
import type { KubernetesFacts, KubernetesOptions, ServedModel, VersionWeight } from './options.js';
import { type ServerTraits, serverTraits } from './server-traits.js';
import { type Sizing, sizePods } from './sizing.js';

/** One set of pods: all of them, or those of one version in a split. */
export interface Variant {
  /** Name of its objects. */
  readonly name: string;
  /** Ending of the names of its files: empty, or `-v1`. */
  readonly suffix: string;
  /** The only version that it serves; undefined where it serves what the source holds. */
  readonly version?: string;
  /** Percent of the requests. */
  readonly weight: number;
}

/** Everything that manifests are made from. */
export interface Deployed {
  readonly facts: KubernetesFacts;
  readonly options: KubernetesOptions;
  readonly measurements: Measurements;
  readonly traits: ServerTraits;
  readonly sizing: Sizing;
  /** Name of the objects that all variants share. */
  readonly name: string;
  readonly variants: readonly Variant[];
}

export function deployed(facts: KubernetesFacts, options: KubernetesOptions, measurements: Measurements): Deployed {
  const traits = serverTraits(options.server);
  const name = objectName(facts.name);
  const bytes = facts.models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    facts,
    options,
    measurements,
    traits,
    sizing: sizePods(traits, measurements, options, bytes),
    name,
    variants: options.split.length === 0 ? [{ name, suffix: '', weight: 100 }] : options.split.map(variantOf(name)),
  };
}

function variantOf(name: string): (split: VersionWeight) => Variant {
  return ({ version, weight }) => {
    const versioned = versionedName(name, version);
    return { name: versioned, suffix: versioned.slice(name.length), version, weight };
  };
}

/** The only model; undefined in a repository of several. */
export function onlyModel({ facts }: Deployed): ServedModel | undefined {
  return facts.models.length === 1 ? facts.models[0] : undefined;
}

/** Labels that choose the pods of one variant, or of all; they never change. */
export function selectorLabels({ name }: Deployed, variant?: Variant): Record<string, string> {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': variant?.name ?? name,
  };
}

/** The label that pods of all variants have. */
export function sharedSelector({ name }: Deployed): Record<string, string> {
  return { 'app.kubernetes.io/name': name };
}
