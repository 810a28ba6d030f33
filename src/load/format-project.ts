import * as path from 'node:path';
import type { BoundModel, BoundProject } from '../domain/bound-project.js';
import type { Diagnostic } from '../domain/diagnostic.js';
import { isRecord, type Json } from '../domain/json.js';
import type { TextFile } from '../domain/location.js';
import { openShadowCatalog, type Parsed } from '../effects/shadow-catalog.js';
import { loadSqlPrinter } from '../effects/sql-printer.js';
import { formatFile, isLeftAlone, statementsForParser } from '../parse/format/file.js';
import { type LoadEffects, loadProject } from './load-project.js';

/** What becomes of one file. */
export interface FormattedFile {
  readonly path: string;
  readonly before: string;
  /** The same as `before` where nothing is to do, or where the file must stay. */
  readonly after: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Folders whose SQL files are laid out; macros are templates, and stay. */
const folders = ['models', 'audits', 'sources'] as const;

/** SQL files of a project that can be laid out, relative to it. */
export function formattableFiles({ files, projectFolder }: LoadEffects): readonly string[] {
  return folders.flatMap((folder) =>
    files
      .list(path.join(projectFolder, folder))
      .filter((name) => name.endsWith('.sql'))
      .map((name) => `${folder}/${name}`),
  );
}

/**
 * Lays out SQL files of a project. Nothing is written. A file is handed back as it was where its text cannot be read, or
 * where its meaning would change: DuckDB's syntax trees must be equal but for places in the text, and the bound plans,
 * columns and descriptions of all models where the project binds.
 *
 * @param names relative to the project folder
 */
export async function formatProject(effects: LoadEffects, names: readonly string[]): Promise<readonly FormattedFile[]> {
  const { files, projectFolder } = effects;
  const print = await loadSqlPrinter();
  const formatted = names.map((name): FormattedFile => {
    const file: TextFile = { path: name, text: files.readText(path.join(projectFolder, name)) };
    if (isLeftAlone(file)) return { path: name, before: file.text, after: file.text, diagnostics: [] };
    const result = formatFile(file, print);
    return result.ok
      ? { path: name, before: file.text, after: result.value, diagnostics: result.warnings }
      : { path: name, before: file.text, after: file.text, diagnostics: result.errors };
  });
  const changed = formatted.filter((file) => file.before !== file.after);
  if (changed.length === 0) return formatted;
  const wrong = new Map([...(await changedTrees(effects, changed)), ...(await changedPlans(effects, changed))]);
  return formatted.map((file) => {
    const why = wrong.get(file.path);
    if (why === undefined) return file;
    const diagnostic: Diagnostic = {
      code: 'SL0131',
      severity: 'error',
      message: `${file.path} stays as it is: ${why}`,
      hint: 'this is a fault of the formatter; lay the file out by hand, or set formatting false in its header',
    };
    return { ...file, after: file.before, diagnostics: [...file.diagnostics, diagnostic] };
  });
}

/** Files in which DuckDB's parser reads something else than before. */
async function changedTrees(
  { duckdb, projectFolder }: LoadEffects,
  changed: readonly FormattedFile[],
): Promise<ReadonlyMap<string, string>> {
  const shadow = await openShadowCatalog(duckdb, projectFolder);
  try {
    const wrong = new Map<string, string>();
    for (const file of changed) {
      const [before, after] = await Promise.all(
        [file.before, file.after].map((text) => shadow.parse(statementsForParser({ path: file.path, text }))),
      );
      if (JSON.stringify(before?.map(withoutPlaces)) !== JSON.stringify(after?.map(withoutPlaces)))
        wrong.set(file.path, 'DuckDB would read its SQL otherwise');
    }
    return wrong;
  } finally {
    shadow.close();
  }
}

/** What counts of an answer of the parser. Texts that it refuses (with macros in the place of clauses) were compared token by token. */
function withoutPlaces(parsed: Parsed): Json {
  return parsed.type === 'tree' ? stripped(parsed.tree) : parsed.type;
}

function stripped(node: Json): Json {
  if (Array.isArray(node)) return node.map(stripped);
  if (!isRecord(node)) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]) => (key === 'query_location' ? [] : [[key, stripped(value)]])),
  );
}

/** Files whose models DuckDB's binder sees otherwise; none where the project does not bind to begin with. */
async function changedPlans(
  effects: LoadEffects,
  changed: readonly FormattedFile[],
): Promise<ReadonlyMap<string, string>> {
  const before = await loadProject(effects);
  if (!before.ok) return new Map();
  const texts = new Map(changed.map((file) => [path.join(effects.projectFolder, file.path), file.after]));
  const files = { ...effects.files, readText: (file: string) => texts.get(file) ?? effects.files.readText(file) };
  const after = await loadProject({ ...effects, files });
  if (!after.ok) {
    const places = new Set(after.errors.map((error) => error.location?.file));
    const blamed = changed.filter((file) => places.has(file.path));
    const why = `the project would not bind: ${after.errors[0]?.message ?? ''}`;
    return new Map((blamed.length > 0 ? blamed : changed).map((file) => [file.path, why]));
  }
  return changedModels(before.value, after.value);
}

function changedModels(before: BoundProject, after: BoundProject): ReadonlyMap<string, string> {
  const byKey = new Map(after.models.map((bound) => [bound.model.key, bound]));
  return new Map(
    before.models.flatMap((bound) => {
      const other = byKey.get(bound.model.key);
      return other !== undefined && meaningOf(bound) === meaningOf(other)
        ? []
        : [[bound.model.file.path, `${bound.model.key} would mean something else`] as const];
    }),
  );
}

/** The bound plan and all that a reader of the table sees. */
function meaningOf({ model, lineage, columns, columnDescriptions, parents }: BoundModel): string {
  const { kind } = model;
  return JSON.stringify([
    lineage.known ? lineage.print : lineage.columns,
    columns,
    columnDescriptions,
    parents,
    kind.name,
    model.tags,
    model.description,
  ]);
}
