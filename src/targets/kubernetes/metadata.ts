import type { YamlValue } from '../yaml-text.js';
import { type Deployed, onlyModel, selectorLabels, type Variant } from './deployed.js';
import { labelValue } from './names.js';

export type YamlObject = Readonly<Record<string, YamlValue | undefined>>;

/** The labels that Kubernetes recommends. */
export function commonLabels(deployed: Deployed, variant?: Variant): Record<string, string> {
  const newest = deployed.options.split.length > 0 ? undefined : onlyModel(deployed)?.versions.at(-1);
  const version = variant?.version ?? newest;
  return {
    ...selectorLabels(deployed, variant),
    ...(version === undefined ? {} : { 'app.kubernetes.io/version': labelValue(version) }),
    'app.kubernetes.io/component': 'inference-server',
    'app.kubernetes.io/part-of': deployed.name,
    'app.kubernetes.io/managed-by': 'serve-opt',
  };
}

/** `metadata` of an object; the model's own name, which a label may not be able to hold, is an annotation. */
export function metadata(
  deployed: Deployed,
  name: string,
  {
    variant,
    annotations,
  }: { readonly variant?: Variant; readonly annotations?: Readonly<Record<string, string>> } = {},
): YamlObject {
  const { namespace } = deployed.options;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: commonLabels(deployed, variant),
    annotations: { 'serve-opt/models': deployed.facts.models.map((model) => model.name).join(','), ...annotations },
  };
}

/** Where Prometheus finds the metrics, for scrapers that look at annotations. */
export function scrapeAnnotations({ traits, options }: Deployed): Record<string, string> {
  if (options.podMonitor) return {};
  return {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(traits.metricsPort),
    'prometheus.io/path': traits.metricsPath,
  };
}
