import { DiagnosticError, fail, type Result, succeed } from '../../domain/diagnostic.js';
import { HDF5_LIBRARY, Hdf5Error, openHdf5 } from '../../effects/hdf5.js';
import { writeElements } from '../element.js';
import { type ConvertEffects, convertError, type Format, type RawFile } from '../format.js';
import { sortMemoryOption } from '../sort-memory.js';
import { matrixOptions, xOrderOption } from '../x-order.js';
import { H5adInput } from './h5ad/input.js';
import { type Layout, layoutOf } from './h5ad/layout.js';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** AnnData files, of every version of their layout, by the convention `scilake-anndata/1`. */
export const h5ad: Format = {
  name: 'h5ad',
  endings: ['.h5ad'],
  options: [xOrderOption, sortMemoryOption],

  recognise({ fileName, fileNames, head }) {
    if (SIGNATURE.every((byte, i) => head[i] === byte)) return 'by content';
    return fileNames === undefined && fileName.endsWith('.h5ad') ? 'by name' : undefined;
  },

  inspect: (raw) => withLayout(raw, async (layout) => succeed(layout.elements.map(({ schema }) => schema))),

  convert: (raw, folder, effects: ConvertEffects) =>
    withLayout(raw, async (layout) => {
      const database = await effects.duckdb.open();
      try {
        const parts = await writeElements(layout.elements, {
          database,
          folder,
          displayName: raw.displayName,
          progress: effects.progress,
          kept: effects.kept,
        });
        const [version] = await database.rows('SELECT version() AS v');
        return succeed({
          elements: parts.map(({ element }) => element),
          manifest: {
            format: 'scilake-anndata/1',
            n_obs: layout.cellCount,
            n_vars: layout.geneCount,
            tools: { duckdb: String(version?.v), hdf5: HDF5_LIBRARY },
            elements: parts.map(({ manifest }) => manifest),
          },
          warnings: [...layout.warnings, ...parts.flatMap(({ warnings }) => warnings)],
        });
      } finally {
        database.close();
      }
    }),
};

/** Opens the file, plans its tables, and turns what goes wrong inside HDF5 into a diagnostic that names the element. */
async function withLayout<T>(raw: RawFile, use: (layout: Layout) => Promise<Result<T>>): Promise<Result<T>> {
  const options = matrixOptions(raw);
  try {
    const file = await openHdf5(raw.file);
    try {
      return await use(layoutOf(new H5adInput(file, raw.displayName), options));
    } finally {
      file.close();
    }
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) return { ok: false, errors: thrown.diagnostics };
    if (!(thrown instanceof Hdf5Error)) throw thrown;
    const isWhole = thrown.path === '';
    return fail(
      convertError(
        isWhole ? 'SL0620' : 'SL0621',
        `${raw.displayName}: ${isWhole ? '' : `${thrown.path}: `}${thrown.message}`,
        isWhole
          ? 'check that the download is complete and that it is an h5ad file'
          : 'the file is damaged, or uses something that is refused here',
      ),
    );
  }
}
