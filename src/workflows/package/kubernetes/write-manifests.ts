import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readSmallTextFile } from '../../../codec/small-file.js';
import { fileError, outputError } from '../../../codec/system-error.js';
import { ServeOptError } from '../../../errors.js';
import type { PackagedFile } from '../../../report/package-types.js';
import {
  KUSTOMIZATION,
  type KubernetesPackage,
  kustomizationEntries,
  MARKER,
  README,
} from '../../../targets/kubernetes/manifests.js';
import type { PackageFile } from '../../../targets/package-file.js';
import { whyNotYaml, withYamlEntries, yamlData } from '../../../targets/yaml-text.js';
import type { WorkflowContext } from '../../options.js';
import { stagePackage } from '../write-package.js';

/** Files of people are small. */
const MOST_BYTES = 1024 * 1024;

/** What will be done to the folder of a package. */
export interface WritePlan {
  readonly files: readonly PackageFile[];
  /** Whether the folder is there and has something in it. */
  readonly exists: boolean;
  /** Files of an earlier package that are not part of this one: they are removed. */
  readonly stale: readonly string[];
  /** Files that are not of serve-opt, and stay. */
  readonly kept: readonly string[];
}

/**
 * Looks at the folder before anything is done. With `force`, files of an earlier package are replaced, those of others kept, and
 * `kustomization.yaml` keeps what was added to it.
 * @throws SO1005 for files that are there, unless `force` is given and they are of serve-opt; SO6001 for what is no folder
 */
export function planWriting(
  path: string,
  { files, resources, deployed }: KubernetesPackage,
  force: boolean,
): WritePlan {
  const names = namesIn(path);
  const planned = new Set(files.map((file) => file.path));
  const own = new Set(names.filter((name) => isOwn(path, name)));
  const there = names.filter((name) => planned.has(name));
  const [first] = there;
  if (!force && (first ?? [...own][0]) !== undefined) {
    throw new ServeOptError('SO1005', `"${path}" already has ${first ?? [...own][0]}`, {
      hint: 'add --force to replace the files of serve-opt (others are kept), or choose another folder with -o',
      location: { file: path },
    });
  }
  const strange = there.find((name) => !own.has(name) && name !== KUSTOMIZATION);
  if (strange !== undefined) {
    throw new ServeOptError('SO1005', `"${join(path, strange)}" was not written by serve-opt`, {
      why: `it does not begin with "${MARKER}"`,
      hint: 'move it elsewhere, or choose another folder with -o',
      location: { file: join(path, strange) },
    });
  }
  const stale = [...own].filter((name) => !planned.has(name));
  const merged = names.includes(KUSTOMIZATION)
    ? files.map((file) =>
        file.path === KUSTOMIZATION
          ? {
              path: file.path,
              text: mergedKustomization(join(path, KUSTOMIZATION), kustomizationEntries(deployed, resources), own),
            }
          : file,
      )
    : files;
  const kept = names.filter((name) => !planned.has(name) && !own.has(name));
  return { files: merged, exists: names.length > 0, stale, kept };
}

function namesIn(path: string): string[] {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(path).sort();
  } catch (cause) {
    throw outputError(path, cause);
  }
}

/** Whether a file begins with our line, in a comment of YAML or Markdown. */
function isOwn(folder: string, name: string): boolean {
  if (name !== README && !name.endsWith('.yaml')) return false;
  const path = join(folder, name);
  try {
    if (!lstatSync(path).isFile()) return false;
    return (
      /^(# |<!-- )/.test(readText(path).slice(0, 5)) && readText(path).split('\n', 1)[0]?.includes(MARKER) === true
    );
  } catch (error) {
    // Whatever it is, it was not written here.
    if (error instanceof ServeOptError) return false;
    throw fileError(path, error);
  }
}

function readText(path: string): string {
  return readSmallTextFile(path, MOST_BYTES);
}

/** Our entries in place of the earlier ones; resources that were added, and all other entries, stay. */
function mergedKustomization(
  path: string,
  entries: ReturnType<typeof kustomizationEntries>,
  own: ReadonlySet<string>,
): string {
  const text = readText(path);
  const why = whyNotYaml(text);
  const data = why === undefined ? yamlData(text) : undefined;
  if (why !== undefined || (data !== null && (typeof data !== 'object' || Array.isArray(data)))) {
    throw new ServeOptError('SO1005', `"${path}" cannot be merged with the new one`, {
      why: why ?? 'it is not a mapping',
      hint: 'mend it or move it elsewhere',
      location: { file: path },
    });
  }
  const before = (data as { readonly resources?: unknown } | null)?.resources;
  const resources = entries.resources as readonly string[];
  const added = Array.isArray(before)
    ? before.filter((each): each is string => typeof each === 'string' && !own.has(each) && !resources.includes(each))
    : [];
  return withYamlEntries(text, { ...entries, resources: [...resources, ...added] } as Parameters<
    typeof withYamlEntries
  >[1]);
}

/**
 * Writes the package: a new folder appears at once; into one that exists, whole files are renamed, `kustomization.yaml` last.
 * @throws SO6001; what was there is as before then
 */
export async function writeManifests(
  path: string,
  plan: WritePlan,
  context: WorkflowContext,
): Promise<readonly PackagedFile[]> {
  const staged = await stagePackage({ files: plan.files }, path, {}, context);
  if (!plan.exists) {
    staged.folder.commit();
    return staged.files;
  }
  const entries = plan.files.map((file) => basename(file.path));
  const order = [...entries.filter((entry) => entry !== KUSTOMIZATION), KUSTOMIZATION];
  staged.folder.commitInto(order, { replace: true });
  // Only when nothing refers to them any more.
  for (const name of plan.stale) {
    try {
      rmSync(join(path, name));
    } catch (cause) {
      throw outputError(join(path, name), cause);
    }
  }
  return staged.files;
}
