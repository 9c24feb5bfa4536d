import type { KubernetesServer } from '../targets/kubernetes/options.js';
import type { PackageReport } from './package-types.js';

/** What `package kubernetes` reports. */
export interface KubernetesPackageReport extends PackageReport {
  readonly command: 'package kubernetes';
  readonly server: KubernetesServer;
  /** Name of the objects. */
  readonly name: string;
  readonly models: readonly { readonly name: string; readonly versions: readonly string[] }[];
  /** What a pod asks for, in cores and bytes. */
  readonly resources: {
    readonly cpuCores: number;
    readonly memoryRequestBytes: number;
    readonly memoryLimitBytes: number;
    readonly gpus: number;
  };
  readonly replicas: { readonly minimum: number; readonly maximum: number };
  /** Seconds. */
  readonly startup: { readonly expectedSeconds: number; readonly allowedSeconds: number };
  /** Where requests, limits and delays come from. */
  readonly measurements: {
    readonly kind: 'measured' | 'estimated';
    readonly source: string;
    readonly threads: number;
    readonly models: readonly {
      readonly name: string;
      readonly sessionMs: number;
      readonly firstRunMs: number;
      readonly modelBytes: number;
      readonly p50Ms: number;
    }[];
  };
  /** What a person has to do before the manifests are applied, as in `README.md`. */
  readonly todo: readonly string[];
  /** Files of others in the folder, which were kept, and files of an earlier package, which were removed. */
  readonly kept: readonly string[];
  readonly removed: readonly string[];
}
