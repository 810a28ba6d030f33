import { isRecord, items, type JsonRecord, records, textAt } from '../../domain/json.js';

/** What `manifest.json` says of a column of a data frame. */
export interface ManifestColumn {
  /** As the h5ad file calls it, and as the table does. */
  readonly name: string;
  readonly column: string;
  /** NumPy's or pandas' name of its type; empty when nothing is known. */
  readonly dtype: string;
  /** Of a categorical: all categories in their order, unused ones included. */
  readonly categories?: readonly unknown[];
  readonly categoriesDtype: string;
  readonly isOrdered: boolean;
}

/** What it says of an element. */
export interface ManifestElement {
  /** Where it stands in an AnnData: `X`, `obs`, `layers/counts`. */
  readonly path: string;
  /** The stem of its parquet file, which is its table in the lake. */
  readonly table: string;
  /** csr, csc, dense, array, dataframe, rec-array or uns. */
  readonly kind: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly indexName: string | null;
  readonly columns: readonly ManifestColumn[];
}

export interface Manifest {
  readonly cellCount: number;
  readonly geneCount: number;
  /** The raw format that it came from. */
  readonly sourceFormat: string;
  readonly elements: readonly ManifestElement[];
}

/** Strings, which are left alone, and numbers. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON; whole numbers that a double cannot hold are kept as texts, with all their digits. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text.replace(stringOrNumber, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token)));
}

/** @returns undefined for a text that is no manifest of `scilake-anndata/1` */
export function parseManifest(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.format !== 'scilake-anndata/1') return undefined;
  const elements = records(value.elements)
    // A copy in another order is no element of its own.
    .filter((element) => element.copy_of === undefined)
    .map(elementOf);
  if (elements.some(({ path, table }) => path === '' || !/^[A-Za-z0-9_]+$/.test(table))) return undefined;
  return {
    cellCount: Number(value.n_obs),
    geneCount: Number(value.n_vars),
    sourceFormat: textAt(value, 'source_format'),
    elements,
  };
}

function elementOf(element: JsonRecord): ManifestElement {
  return {
    path: textAt(element, 'path'),
    table: textAt(element, 'file').replace(/\.parquet$/, ''),
    kind: textAt(element, 'kind'),
    dtype: textAt(element, 'dtype'),
    shape: items(element.shape).map(Number),
    indexName: typeof element.index_name === 'string' ? element.index_name : null,
    columns: records(element.columns).map((column) => ({
      name: textAt(column, 'name'),
      column: textAt(column, 'col'),
      dtype: textAt(column, 'dtype'),
      ...(Array.isArray(column.categories) ? { categories: column.categories } : {}),
      categoriesDtype: textAt(column, 'categories_dtype'),
      isOrdered: column.ordered === true,
    })),
  };
}
