import { encoding } from './encode.js';
import { writeFrame } from './frames.js';
import type { Manifest, ManifestElement } from './manifest.js';
import { writeArray, writeDense, writeSparse } from './matrices.js';
import { type ExportTarget, exportError } from './target.js';
import { writeUns } from './uns.js';

const GROUPS = ['layers', 'obsm', 'varm', 'obsp', 'varp', 'uns'] as const;

/**
 * Writes the elements of a manifest into an HDF5 file, in the encodings of anndata 0.8 and later, whatever the layout
 * of the file that they came from.
 *
 * @returns the paths that were written; what is no element of AnnData (other experiments of an R object) is left out with a warning
 * @throws DiagnosticError naming the element
 */
export async function writeAnnData(target: ExportTarget, manifest: Manifest): Promise<readonly string[]> {
  const { writer } = target;
  const { elements } = manifest;
  writer.group('', encoding('anndata', '0.1.0'));
  for (const group of GROUPS) writer.group(group, encoding('dict', '0.1.0'));
  const written: string[] = [];
  for (const required of ['obs', 'var']) {
    if (elements.some(({ path }) => path === required)) continue;
    throw exportError(target, {
      code: 'SL0660',
      path: required,
      message: 'is missing',
      hint: 'an AnnData has both obs and var',
    });
  }
  if (elements.some(({ path }) => path.startsWith('raw/'))) {
    writer.group('raw', encoding('raw', '0.1.0'));
    writer.group('raw/varm', encoding('dict', '0.1.0'));
  }
  for (const element of elements) {
    const [group = '', name] = element.path.replace(/^raw\//, '').split('/');
    // Tables of `uns` are written where its leaves name them.
    if (group === 'uns' && name !== undefined) continue;
    const isKnown = name === undefined ? ['X', 'obs', 'var', 'uns'].includes(group) : isGroup(group);
    if (!isKnown) {
      target.warn(`${element.path}: has no place in an AnnData and is left out`);
      continue;
    }
    await writeElement(target, element, manifest);
    written.push(element.path);
  }
  return written;
}

function isGroup(name: string): boolean {
  return GROUPS.some((group) => group === name);
}

async function writeElement(target: ExportTarget, element: ManifestElement, manifest: Manifest): Promise<void> {
  const at = element.path;
  switch (element.kind) {
    case 'dataframe':
      await checkedFrame(target, element, manifest);
      return;
    case 'csr':
    case 'csc':
      return writeSparse(target, element, at);
    case 'dense':
      return writeDense(target, element, at);
    case 'array':
      return writeArray(target, element, at);
    case 'uns':
      return writeUns(target, element, manifest);
    default:
      throw exportError(target, { code: 'SL0665', path: at, message: `is of the unknown kind "${element.kind}"` });
  }
}

/** `obs` and `var` have as many rows as the manifest promises; matrices were checked against the same numbers. */
async function checkedFrame(target: ExportTarget, element: ManifestElement, manifest: Manifest): Promise<void> {
  const rowCount = await writeFrame(target, element, element.path);
  const wanted = element.path === 'obs' ? manifest.cellCount : element.path === 'var' ? manifest.geneCount : rowCount;
  if (rowCount === wanted) return;
  throw exportError(target, {
    code: 'SL0661',
    path: element.path,
    message: `has ${rowCount} rows, the manifest promises ${wanted}`,
    hint: 'the table was changed after its manifest was written',
  });
}
