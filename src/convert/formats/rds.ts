import { DiagnosticError, succeed } from '../../domain/diagnostic.js';
import { EndOfContent, maxExpandedOption, readContent } from '../content.js';
import { writeElements } from '../element.js';
import type { ConvertEffects, Format, RawFile } from '../format.js';
import { Namer, tableOfFile } from '../names.js';
import { sortMemoryOption } from '../sort-memory.js';
import { matrixOptions, xOrderOption } from '../x-order.js';
import { RInput } from './rds/input.js';
import { type Layout, layoutOfObject, layoutOfObjects } from './rds/layout.js';
import { openSerial, SerialError } from './rds/serial-input.js';
import { Unserializer } from './rds/unserialize.js';

const ENDINGS: readonly string[] = ['.rds', '.rdata', '.rda', '.rds.gz'];
/** What begins a file of several objects (`save`), and one of a single object (`saveRDS`). */
const SEVERAL = /^RD[XAB][23]\n/;
const SINGLE: readonly string[] = [
  '580a00000002',
  '580a00000003',
  '420a02000000',
  '420a03000000',
  '410a320a',
  '410a330a',
];

/**
 * Objects of R as `saveRDS` and `save` write them, in every encoding and compression. Read by a parser that has no
 * evaluator: functions and environments stay closed.
 */
export const rds: Format = {
  name: 'rds',
  endings: ENDINGS,
  options: [xOrderOption, sortMemoryOption, maxExpandedOption],

  recognise({ fileName, fileNames, content }) {
    const start = Buffer.from(content.subarray(0, 8));
    const isSingle = SINGLE.some((beginning) => start.toString('hex').startsWith(beginning));
    if (isSingle || SEVERAL.test(start.toString('latin1'))) return 'by content';
    return fileNames === undefined && ENDINGS.some((ending) => fileName.endsWith(ending)) ? 'by name' : undefined;
  },

  async inspect(raw) {
    const { layout } = await open(raw);
    return succeed(layout.elements.map(({ schema }) => schema));
  },

  async convert(raw, folder, effects: ConvertEffects) {
    const { layout, input } = await open(raw);
    const database = await effects.duckdb.open();
    try {
      const { displayName } = raw;
      const parts = await writeElements(layout.elements, {
        database,
        folder,
        displayName,
        progress: effects.progress,
        kept: effects.kept,
      });
      const [version] = await database.rows('SELECT version() AS v');
      const { shape } = layout;
      return succeed({
        elements: parts.map(({ element }) => element),
        manifest: {
          format: shape === undefined ? 'scilake-table/1' : 'scilake-anndata/1',
          ...(shape === undefined ? {} : { n_obs: shape.cellCount, n_vars: shape.geneCount }),
          tools: { duckdb: String(version?.v) },
          elements: parts.map(({ manifest }) => manifest),
        },
        warnings: [...input.warnings, ...parts.flatMap(({ warnings }) => warnings)],
      });
    } finally {
      database.close();
    }
  },
};

/** Reads all of the file and plans its tables. */
async function open(raw: RawFile): Promise<{ readonly layout: Layout; readonly input: RInput }> {
  const options = {
    namer: new Namer(),
    ...matrixOptions(raw),
    tableName: tableOfFile(raw.file, ENDINGS),
  };
  const input = new RInput(raw);
  const content = await readContent(raw);
  try {
    content.need(2);
    const mark = content.remaining < 5 ? '' : content.take(5).toString('latin1');
    if (SEVERAL.test(mark)) {
      const value = new Unserializer(openSerial(content)).read();
      checkEnd(content.remaining);
      if (value.type !== 'pairs') throw new SerialError('holds no objects');
      const objects = value.items.map(({ tag, value: object }, i) => ({ name: tag ?? String(i + 1), value: object }));
      return { layout: layoutOfObjects(input, objects, options), input };
    }
    content.back(mark.length);
    const value = new Unserializer(openSerial(content)).read();
    checkEnd(content.remaining);
    return { layout: layoutOfObject(input, value, options), input };
  } catch (thrown) {
    if (thrown instanceof DiagnosticError) throw thrown;
    if (thrown instanceof EndOfContent) {
      throw input.error('SL0640', '', `is cut off: ${thrown.message}`, 'fetch it again; nothing of it was loaded');
    }
    if (!(thrown instanceof SerialError)) throw thrown;
    throw input.error('SL0640', '', thrown.message, 'check that it was written by saveRDS or save');
  }
}

function checkEnd(remaining: number): void {
  // An ascii file ends in a newline.
  if (remaining > 1) throw new SerialError(`goes on for ${remaining} bytes after its object`);
}
