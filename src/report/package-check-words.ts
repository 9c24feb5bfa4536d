import { formatInteger } from './format.js';
import type { PackageCheckReport, PackageFinding } from './package-check-types.js';
import { safeText } from './safe-text.js';

/** `2 errors and 1 warning`; `no errors` where there is nothing. */
export function countsPhrase({ errors, warnings }: Pick<PackageCheckReport, 'errors' | 'warnings'>): string {
  const parts = [counted(errors, 'error'), counted(warnings, 'warning')].filter((part) => part !== '');
  return parts.length === 0 ? 'no errors' : parts.join(' and ');
}

function counted(count: number, word: string): string {
  return count === 0 ? '' : `${formatInteger(count)} ${word}${count === 1 ? '' : 's'}`;
}

/** `models/resnet/config.pbtxt:4:3`, as editors and CI services read it. @param checked what was checked, as given */
export function findingPlace(checked: string, { path, line, column }: PackageFinding): string {
  const base = checked.replace(/\/config\.pbtxt$/, '').replace(/\/+$/, '');
  const file = path === '' ? base : base === '.' || base === '' ? path : `${base}/${path}`;
  return safeText(line === undefined ? file : `${file}:${line}:${column ?? 1}`, 300);
}

/** What was checked: `12 models`. */
export function checkedPhrase({ models, kind }: Pick<PackageCheckReport, 'models' | 'kind'>): string {
  if (kind === 'torchserve archive') return 'an archive';
  return `${formatInteger(models.length)} ${models.length === 1 ? 'model' : 'models'}`;
}
