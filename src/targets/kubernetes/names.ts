import { createHash } from 'node:crypto';

/** Room that a name leaves for what is added to it: `-v1-0`, `-predictor`, and what controllers append to names of pods. */
const LONGEST_BASE = 40;
/** Length of label values, and of names that become host names (RFC 1123). */
const LONGEST_LABEL = 63;
const HASH_DIGITS = 6;

/**
 * A name for Kubernetes objects: lower-case letters, digits and hyphens, beginning with a letter (RFC 1035, as Services need).
 * Where a name has to be changed, six digits of its hash are added, so that `a.b` and `a_b` stay two names.
 */
export function objectName(name: string, longest: number = LONGEST_BASE): string {
  if (/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= longest) return name;
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  const kept = words.slice(0, longest - HASH_DIGITS - 1).replace(/-+$/, '');
  return `${kept === '' ? 'model' : kept}-${hash}`;
}

/** The name of what belongs to one version: `resnet-v1`, `resnet-v1-0` for 1.0. */
export function versionedName(base: string, version: string): string {
  const suffix = /^[a-z0-9.]+$/.test(version) ? version.replaceAll('.', '-') : objectName(version, 15);
  return `${base}-v${suffix}`;
}

/** A value of a label: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; shortened with a hash. */
export function labelValue(text: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text) && text.length <= LONGEST_LABEL) return text;
  return objectName(text, LONGEST_LABEL);
}

/** Whether Kubernetes takes a text as the name of a namespace. */
export function isNamespace(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text) && text.length <= LONGEST_LABEL;
}

/** Whether Kubernetes takes a text as the name of an object (RFC 1123 subdomain). */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && text.split('.').every(isNamespace);
}
