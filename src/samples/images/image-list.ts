import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileError } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';
import { type ClassLabels, classLabels, readDistinctNames } from '../dataset/class-labels.js';
import { readColumns } from '../dataset/csv-file.js';
import type { ReadLimits } from '../dataset/source-array.js';
import { IMAGE_ENDING } from './decode-image.js';

/** Columns that hold paths of images, and columns that hold labels. */
const FILE_COLUMNS = ['file', 'path', 'image', 'filename', 'file_name'];
const LABEL_COLUMNS = ['label', 'labels', 'class'];
/** Labels beside images are found under this name. */
const LABELS_FILE = 'labels.csv';
const MOST_DEPTH = 8;
const MOST_IMAGES = 5_000_000;

/** Images of a data set in order, and their labels. */
export interface ImageList {
  readonly paths: readonly string[];
  /** As messages call them: relative to the folder. */
  readonly names: readonly string[];
  readonly labels: ClassLabels | undefined;
}

/**
 * Images of a folder, those of its sub-folders included; undefined for a folder without any. Labels are, in this order: the rows of
 * the CSV file `labelsPath` or of `labels.csv` in the folder; the names of sub-folders.
 * @param labelsPath names of the classes, or a CSV file
 * @throws SO4005 for images without a label and labels without an image, naming them
 */
export async function imagesInFolder(
  path: string,
  labelsPath: string | undefined,
  limits: ReadLimits,
): Promise<ImageList | undefined> {
  const files: string[] = [];
  collect(path, '', files, 0);
  if (files.length === 0) return undefined;
  const paths = files.map((name) => join(path, name));
  const isCsv = labelsPath !== undefined && /\.csv$/i.test(labelsPath);
  const csv = isCsv ? labelsPath : hasFile(path, LABELS_FILE) ? join(path, LABELS_FILE) : undefined;
  const classes = labelsPath !== undefined && !isCsv ? readDistinctNames(labelsPath) : undefined;
  if (csv !== undefined) {
    const rows = await imageRows(csv, limits);
    const texts = matchRows(files, rows, basename(csv));
    return { paths, names: files, labels: classLabels(texts, 'label', classes) };
  }
  const folders = files.map((name) => (name.includes('/') ? (name.split('/')[0] as string) : undefined));
  const nested = folders.filter((folder): folder is string => folder !== undefined);
  if (nested.length === 0) {
    if (classes)
      throw new ServeOptError('SO4005', `"${basename(path)}" has no sub-folders to be named after classes`, {
        hint: `put the images of each class into a folder of its name, or write ${LABELS_FILE} with the columns file and label`,
      });
    return { paths, names: files, labels: undefined };
  }
  if (nested.length < files.length) {
    const loose = files.find((name) => !name.includes('/'));
    throw new ServeOptError('SO4005', `"${basename(path)}" has images in sub-folders and beside them`, {
      why: `"${loose}" is in no sub-folder, so that its class is not known`,
      hint: `move it, or write ${LABELS_FILE} with the columns file and label`,
    });
  }
  return { paths, names: files, labels: classLabels(nested, 'sub-folder', classes) };
}

/**
 * Images that a CSV file lists, with labels where it has a column of them; undefined where no column names files.
 * Paths are relative to the CSV file.
 */
export async function imagesInCsv(
  path: string,
  labelsPath: string | undefined,
  limits: ReadLimits,
): Promise<ImageList | undefined> {
  const { header, columns } = await readColumns(path, basename(path), limits);
  const at = columnOf(header, FILE_COLUMNS);
  if (at < 0) return undefined;
  const names = columns[at] as string[];
  if (names.length === 0) throw new ServeOptError('SO4004', `"${basename(path)}" lists no images`);
  const folder = dirname(path);
  const labelAt = columnOf(header, LABEL_COLUMNS);
  const classes = labelsPath === undefined ? undefined : readDistinctNames(labelsPath);
  return {
    paths: names.map((name) => join(folder, name)),
    names,
    labels:
      labelAt < 0
        ? undefined
        : classLabels(
            (columns[labelAt] as string[]).map((text) => text.trim()),
            'label',
            classes,
          ),
  };
}

/** Files with the ending of an image, sub-folders in the order of their names; hidden ones are left out. */
function collect(root: string, below: string, files: string[], depth: number): void {
  const folder = join(root, below);
  let entries: ReturnType<typeof readEntries>;
  try {
    entries = readEntries(folder);
  } catch (cause) {
    throw fileError(folder, cause);
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() && depth < MOST_DEPTH) collect(root, name, files, depth + 1);
    else if (!entry.isDirectory() && IMAGE_ENDING.test(entry.name)) files.push(name);
    if (files.length > MOST_IMAGES)
      throw new ServeOptError('SO2104', `"${basename(root)}" has more than ${MOST_IMAGES} images`);
  }
}

const byNumber = new Intl.Collator('en', { numeric: true });

function readEntries(folder: string) {
  return readdirSync(folder, { withFileTypes: true }).sort(
    (a, b) => byNumber.compare(a.name, b.name) || (a.name < b.name ? -1 : 1),
  );
}

function hasFile(folder: string, name: string): boolean {
  return readdirSync(folder).includes(name);
}

function columnOf(header: readonly string[], names: readonly string[]): number {
  return header.findIndex((name) => names.includes(name.toLowerCase()));
}

/** File and label of each row. */
async function imageRows(path: string, limits: ReadLimits): Promise<ReadonlyMap<string, string>> {
  const file = basename(path);
  const { header, columns } = await readColumns(path, file, limits);
  const [fileAt, labelAt] = [columnOf(header, FILE_COLUMNS), columnOf(header, LABEL_COLUMNS)];
  if (fileAt < 0 || labelAt < 0)
    throw new ServeOptError('SO4005', `"${file}" has no columns "file" and "label"`, {
      why: `its columns are ${header.join(', ')}`,
    });
  const rows = new Map<string, string>();
  for (const [at, cell] of (columns[fileAt] as string[]).entries()) {
    const name = cell.trim().replaceAll('\\', '/').replace(/^\.\//, '');
    if (rows.has(name)) throw new ServeOptError('SO4005', `"${file}" has two labels for "${name}"`);
    rows.set(name, (columns[labelAt]?.[at] ?? '').trim());
  }
  return rows;
}

/** The label of each file, found by its path or, where that is not in the list, by its name. */
function matchRows(files: readonly string[], rows: ReadonlyMap<string, string>, csv: string): string[] {
  const used = new Set<string>();
  const without: string[] = [];
  const texts = files.map((name) => {
    const key = rows.has(name) ? name : basename(name);
    const text = rows.get(key);
    if (text === undefined || text === '') without.push(name);
    used.add(key);
    return text ?? '';
  });
  if (without.length > 0)
    throw new ServeOptError('SO4005', `${without.length} of ${files.length} images have no label in "${csv}"`, {
      why: `the first is "${without[0]}"`,
    });
  const unused = [...rows.keys()].filter((name) => !used.has(name));
  if (unused.length > 0)
    throw new ServeOptError('SO4005', `"${csv}" has ${rows.size} labels for ${files.length} images`, {
      why: `there is no image "${unused[0]}"`,
    });
  return texts;
}
