import { ServeOptError } from '../../errors.js';
import { isNamespace, isObjectName } from './names.js';
import type { ModelStorage, ObjectReference, RateLimit, VersionWeight } from './options.js';

const MOST_PODS = 1000;

/** @throws SO1006 for a storage that is not known */
export function parseStorage(text: string): ModelStorage {
  const [, kind = '', rest] = /^([a-zA-Z0-9]+)(?::([\s\S]*))?$/.exec(text) ?? [];
  if (text === 'pvc') return { kind: 'claim' };
  if (text === 'image') return { kind: 'image' };
  if (kind === 'pvc' && rest) return claimOf(text, rest);
  if (kind === 's3' && /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\s"'\\?#]*)?$/.test(text))
    return { kind: 's3', url: text };
  if (kind === 'image' && rest) return { kind: 'image-volume', reference: imageReference(rest, '--storage') };
  if (kind.toLowerCase() === 'hostpath' && rest) {
    if (/^\/[^\0\n]*$/.test(rest) && !isUpward(rest)) return { kind: 'host', path: rest };
    throw notAllowed(
      text,
      '--storage',
      'a folder of a node is an absolute path without ".."',
      '--storage hostPath:/srv/models',
    );
  }
  throw notAllowed(
    text,
    '--storage',
    'it must be pvc, pvc:CLAIM[/FOLDER], s3://BUCKET/FOLDER, image, image:REFERENCE or hostPath:/FOLDER',
    '--storage pvc:models',
  );
}

function claimOf(text: string, rest: string): ModelStorage {
  const slash = rest.indexOf('/');
  const claim = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash + 1).replace(/\/+$/, '');
  if (!isObjectName(claim))
    throw notAllowed(text, '--storage', `"${claim}" is not a name of a claim`, '--storage pvc:models');
  if (path.startsWith('/') || isUpward(path) || /[\0\n]/.test(path))
    throw notAllowed(text, '--storage', 'the folder must be inside the claim', '--storage pvc:models/resnet');
  return { kind: 'pvc', claim, ...(path === '' ? {} : { path }) };
}

function isUpward(path: string): boolean {
  return path.split('/').includes('..');
}

/** `3`, or `2:10` for between two and ten. @throws SO1006 */
export function parseReplicas(text: string): { readonly minimum: number; readonly maximum: number } {
  const [, first, second] = /^(\d{1,4})(?::(\d{1,4}))?$/.exec(text) ?? [];
  const minimum = Number(first);
  const maximum = second === undefined ? minimum : Number(second);
  const bad = (why: string): ServeOptError =>
    notAllowed(text, '--replicas', why, '--replicas 2, or --replicas 2:10 to scale');
  if (first === undefined) throw bad('it must be N or MIN:MAX');
  if (minimum === 0)
    throw bad(
      'at least one pod has to stay: without pods there is no metric to scale on, and the next request waits for a start',
    );
  if (maximum < minimum) throw bad(`${maximum} is less than ${minimum}`);
  if (maximum > MOST_PODS) throw bad(`it must be at most ${MOST_PODS}`);
  return { minimum, maximum };
}

/** `1=90,2=10`: percents by version. @throws SO1006 unless they are two versions or more, each once, with a sum of 100 */
export function parseSplit(text: string): readonly VersionWeight[] {
  const bad = (why: string): ServeOptError => notAllowed(text, '--split', why, '--split 1=90,2=10');
  const split = text.split(',').map((part) => {
    const [, version, weight] = /^\s*([A-Za-z0-9][A-Za-z0-9_.-]*)\s*=\s*(\d{1,3})\s*%?\s*$/.exec(part) ?? [];
    if (version === undefined) throw bad(`"${part.trim()}" is not VERSION=PERCENT`);
    return { version, weight: Number(weight) };
  });
  if (split.length < 2) throw bad('it needs two versions');
  const twice = split.find(({ version }, index) => split.findIndex((other) => other.version === version) !== index);
  if (twice) throw bad(`version ${twice.version} is there twice`);
  const sum = split.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 100) throw bad(`the sum is ${sum} %, not 100 %`);
  return split;
}

/** `NAME`, or `NAMESPACE/NAME`. @throws SO1006 */
export function parseGateway(text: string): ObjectReference {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const namespace = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || !isObjectName(name) || (namespace !== undefined && !isNamespace(namespace)))
    throw notAllowed(text, '--gateway', 'it must be NAME or NAMESPACE/NAME of a gateway', '--gateway infra/public');
  return { ...(namespace === undefined ? {} : { namespace }), name };
}

const RATE_UNITS: ReadonlyMap<string, RateLimit['unit']> = new Map([
  ['s', 'Second'],
  ['min', 'Minute'],
  ['h', 'Hour'],
]);

/** `100/s`, `600/min`, `10000/h`. @throws SO1006 */
export function parseRateLimit(text: string): RateLimit {
  const [, digits, word = ''] = /^(\d{1,9})\/([a-z]+)$/.exec(text) ?? [];
  const unit = RATE_UNITS.get(word);
  if (unit === undefined || Number(digits) < 1)
    throw notAllowed(text, '--rate-limit', 'it must be a number of requests per s, min or h', '--rate-limit 100/s');
  return { requests: Number(digits), unit };
}

/** An image with a tag or a digest; `latest` changes its meaning. @throws SO1006 */
export function imageReference(text: string, flag: string): string {
  const reference = /^[a-z0-9]([a-zA-Z0-9._:/-]*[a-zA-Z0-9_])?(@sha256:[0-9a-f]{64})?$/;
  const bad = (why: string): ServeOptError =>
    notAllowed(text, flag, why, `${flag} ${flag === '--image' ? '' : 'image:'}registry.example.com/models/resnet:1.0`);
  if (!reference.test(text) || text.length > 500) throw bad('it is not the reference of an image');
  const name = text.split('@')[0] ?? '';
  const tag = /:([\w][\w.-]{0,127})$/.exec(name)?.[1];
  if (tag === undefined && !text.includes('@')) throw bad('without a tag it would change with each release');
  if (tag === 'latest' && !text.includes('@')) throw bad('latest changes with each release: name a version');
  return text;
}

/** `cpu`, `gpu`, or `gpu:0,1` for GPUs by number. @returns how many GPUs a pod needs @throws SO1006 */
export function parseDevice(text: string): number {
  if (text === 'cpu') return 0;
  if (text === 'gpu') return 1;
  const [, list] = /^gpu:(\d{1,2}(?:,\d{1,2})*)$/.exec(text) ?? [];
  const numbers = list?.split(',').map(Number);
  // Containers count the GPUs that they get from 0.
  if (numbers === undefined || numbers.some((each) => each > 15))
    throw notAllowed(text, '--device', 'it must be cpu, gpu, or gpu:0,1 with numbers up to 15', '--device gpu');
  return Math.max(...numbers) + 1;
}

/** @throws SO1006 for what is not a namespace */
export function checkNamespace(text: string): string {
  if (isNamespace(text)) return text;
  throw notAllowed(
    text,
    '--namespace',
    'a namespace has at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends',
    '--namespace models',
  );
}

/** @throws SO1006 for what is not a host name */
export function checkHost(text: string): string {
  if (text.length <= 253 && /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(text))
    return text;
  throw notAllowed(text, '--host', 'it must be a host name in lower-case letters', '--host models.example.com');
}

/** @throws SO1006 for what is not an address of Prometheus */
export function checkPrometheus(text: string): string {
  if (/^https?:\/\/[A-Za-z0-9.-]+(:\d{1,5})?(\/[\w./-]*)?$/.test(text)) return text;
  throw notAllowed(
    text,
    '--prometheus',
    'it must be an address with http:// or https://',
    '--prometheus http://prometheus.monitoring:9090',
  );
}

/** Names that Triton, TorchServe and URLs take as they are. @throws SO1006 */
export function checkModelName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) && text.length <= 100 && !text.includes('..')) return text;
  throw notAllowed(
    text,
    '--name',
    'a name has letters, digits, "_", "-" and ".", and begins with a letter or digit',
    '--name resnet',
  );
}

function notAllowed(text: string, flag: string, why: string, hint: string): ServeOptError {
  return new ServeOptError('SO1006', `The value "${text.slice(0, 200)}" of ${flag} is not allowed`, {
    why,
    hint: `write ${hint}`,
  });
}
