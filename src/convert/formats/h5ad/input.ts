import { DiagnosticError } from '../../../domain/diagnostic.js';
import { didYouMean } from '../../../domain/near-miss.js';
import type { Hdf5Attribute, Hdf5Dataset, Hdf5File, Hdf5Kind } from '../../../effects/hdf5.js';
import { convertError } from '../../format.js';

/** Encodings of the AnnData file format that are understood, with their versions (anndata, docs/fileformat-prose.md). */
const ENCODINGS: Readonly<Record<string, readonly string[]>> = {
  anndata: ['0.1.0'],
  array: ['0.2.0'],
  categorical: ['0.2.0'],
  csc_matrix: ['0.1.0'],
  csr_matrix: ['0.1.0'],
  dataframe: ['0.1.0', '0.2.0'],
  dict: ['0.1.0'],
  null: ['0.1.0'],
  'nullable-boolean': ['0.1.0'],
  'nullable-integer': ['0.1.0'],
  'nullable-string-array': ['0.1.0'],
  'numeric-scalar': ['0.2.0'],
  raw: ['0.1.0'],
  'rec-array': ['0.2.0'],
  string: ['0.2.0'],
  'string-array': ['0.2.0'],
};

const MAX_NODES = 100_000;
const CIRCLE_HINT = 'the file may hold a circle of links';
const MAX_DEPTH = 64;
/** Deflate packs 1,032 bytes into one; beyond twice that a dataset is mostly not in the file. */
const MAX_EXPANSION = 2_000;
const ALWAYS_ALLOWED_BYTES = 256 << 20;

export interface Child {
  readonly name: string;
  readonly path: string;
  readonly kind: 'group' | 'dataset';
}

/** An h5ad file with the limits that a hostile one runs into. Everything it refuses, it names by its place in the file. */
export class H5adInput {
  readonly file: Hdf5File;
  readonly #displayName: string;
  #nodes = 0;
  readonly #listings = new Map<string, ReadonlyMap<string, Hdf5Kind>>();

  constructor(file: Hdf5File, displayName: string) {
    this.file = file;
    this.#displayName = displayName;
  }

  /** An error at a place in the file, to be thrown. */
  error(code: `SL06${string}`, path: string, message: string, hint?: string): DiagnosticError {
    return new DiagnosticError([
      convertError(code, `${this.#displayName}: ${path === '' ? '/' : path}: ${message}`, hint),
    ]);
  }

  /** Groups and datasets below a group, links refused. */
  children(group: string): readonly Child[] {
    return [...this.#listing(group)].map(([name, kind]) => {
      const path = group === '' ? name : `${group}/${name}`;
      return { name, path, kind: this.#accepted(path, kind) };
    });
  }

  /** Undefined when nothing stands there. */
  kind(path: string): 'group' | 'dataset' | undefined {
    if (path === '') return 'group';
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    if (this.kind(parent) !== 'group') return undefined;
    const kind = this.#listing(parent).get(path.slice(slash + 1));
    return kind === undefined ? undefined : this.#accepted(path, kind);
  }

  /** What stands below a group, asked once: a group may hold thousands of columns, each looked up several times. */
  #listing(group: string): ReadonlyMap<string, Hdf5Kind> {
    const known = this.#listings.get(group);
    if (known !== undefined) return known;
    if (group.split('/').length > MAX_DEPTH) {
      throw this.error('SL0627', group, `groups are nested more than ${MAX_DEPTH} deep`, CIRCLE_HINT);
    }
    const children = this.file.children(group, MAX_NODES - this.#nodes);
    if (children === undefined) {
      throw this.error('SL0627', group, `the file has more than ${MAX_NODES} objects`, CIRCLE_HINT);
    }
    this.#nodes += children.length;
    const listing = new Map(children.map(({ name, kind }) => [name, kind]));
    this.#listings.set(group, listing);
    return listing;
  }

  /** A dataset whose size is believable for the file it stands in. */
  dataset(path: string): Hdf5Dataset {
    if (this.kind(path) !== 'dataset') throw this.error('SL0628', path, 'is missing, or not a dataset');
    const dataset = this.file.dataset(path);
    const limit = ALWAYS_ALLOWED_BYTES + this.file.sizeBytes * MAX_EXPANSION;
    for (const edges of [dataset.shape ?? [], dataset.chunks ?? []]) {
      const bytes = edges.reduce((product, n) => product * n, dataset.type.bytes);
      if (bytes > limit) {
        throw this.error(
          'SL0627',
          path,
          `claims ${bytes} bytes in a file of ${this.file.sizeBytes}`,
          'the file is damaged, or made to exhaust memory',
        );
      }
    }
    return dataset;
  }

  attribute(path: string, name: string): Hdf5Attribute | undefined {
    return this.file.attribute(path, name);
  }

  text(path: string, name: string): string | undefined {
    const value = this.attribute(path, name);
    return typeof value === 'string' ? value : undefined;
  }

  /**
   * The element's encoding-type, undefined in files older than anndata 0.7.
   *
   * @throws DiagnosticError (SL0623) for one that is not understood: guessing would change what the data mean
   */
  encoding(path: string): string | undefined {
    const type = this.text(path, 'encoding-type');
    if (type === undefined || type === '') return undefined;
    const version = this.text(path, 'encoding-version') ?? '';
    const versions = Object.hasOwn(ENCODINGS, type) ? ENCODINGS[type] : undefined;
    if (versions === undefined) {
      const hint = didYouMean(type, Object.keys(ENCODINGS)) ?? 'remove the element, or store it in another way';
      throw this.error('SL0623', path, `encoding-type "${type}" ${version} is not known`, hint);
    }
    if (!versions.includes(version)) {
      throw this.error(
        'SL0623',
        path,
        `encoding-type "${type}" has version "${version}"`,
        `known are ${versions.join(', ')}`,
      );
    }
    return type;
  }

  #accepted(path: string, kind: Hdf5Kind): 'group' | 'dataset' {
    switch (kind) {
      case 'group':
      case 'dataset':
        return kind;
      case 'soft link':
      case 'external link':
        throw this.error(
          'SL0622',
          path,
          `is ${kind === 'soft link' ? 'a soft link' : 'an external link'}, which is never followed`,
          'copy the file with h5repack, or store the element itself',
        );
      case 'other':
        throw this.error('SL0622', path, 'is neither a group nor a dataset');
    }
  }
}
