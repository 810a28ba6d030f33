import type { Materialization, ModelCode, ModelCodeContext, ModelCodeResult, Signal } from '../domain/code.js';
import { type Diagnostic, fail, gather, type Result, succeed } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import type { ModelKind } from '../domain/kind.js';
import type { Model } from '../domain/model.js';
import { didYouMean } from '../domain/near-miss.js';
import type { ModelDefaults, ProjectFunctions } from '../domain/project.js';
import type { CodeModule } from '../effects/project-code.js';
import { parseCodeModel } from '../parse/model-file.js';
import { decodeModelCode, isFunction } from './decode.js';

/** Header properties of `defineModel`, by the names they have in a header. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Values in a header that are lists of names or texts in it. */
const quoted = new Set(['description', 'owner', 'cron', 'cron_tz', 'start', 'end', 'stamp']);

/** The models that TypeScript files of `models/` define. */
export function codeModels(modules: readonly CodeModule[], defaults: ModelDefaults): Result<readonly Model[]> {
  const models: Model[] = [];
  const errors: Diagnostic[] = [];
  for (const module of modules) {
    const defined = [...module.exports.values()].flatMap((exported) => decodeModelCode(exported) ?? []);
    if (defined.length === 0) {
      errors.push(
        inFile(module.file, 'this file defines no model', 'export default defineModel({ name, kind, columns }, run)'),
      );
    }
    for (const { header, run } of defined) {
      const text = headerText(header);
      const code: ModelCode = { hash: module.hash, run: (context) => runCode(run, context, module.file) };
      const parsed = parseCodeModel({ path: module.file, text }, code, defaults);
      if (!parsed.ok) errors.push(...parsed.errors.map((error) => inFile(module.file, error.message, error.hint)));
      else models.push(...parsed.value);
      for (const model of parsed.ok ? parsed.value : []) {
        const why =
          model.kind.storage !== 'table' || model.kind.seed !== undefined
            ? `a model in TypeScript has rows of its own: kind ${model.kind.name} has none`
            : model.declaredColumns.length === 0
              ? 'a model in TypeScript declares its columns'
              : undefined;
        if (why !== undefined) errors.push(inFile(module.file, why, "columns: { id: 'INTEGER' }, kind: 'FULL'"));
      }
    }
  }
  return errors.length > 0 ? fail(...errors) : succeed(models);
}

async function runCode(
  run: (context: ModelCodeContext) => unknown,
  context: ModelCodeContext,
  file: string,
): Promise<ModelCodeResult> {
  const result: unknown = await run(context);
  if (typeof result === 'string') return result;
  if (isIterable(result)) return result;
  throw new Error(`${file} gave neither SQL nor rows`);
}

function isIterable(value: unknown): value is Exclude<ModelCodeResult, string> {
  return isObject(value) && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `MODEL (…)` as it would stand in a SQL file. */
function headerText(header: Readonly<Record<string, unknown>>): string {
  const properties = Object.entries(header).map(([name, value]) => {
    const property = snakeCase(name);
    return `${property} ${valueText(property, value)}`;
  });
  return `MODEL (\n  ${properties.join(',\n  ')}\n);\n`;
}

function valueText(property: string, value: unknown): string {
  if (Array.isArray(value)) return `(${value.map(String).join(', ')})`;
  if (isRecord(value)) {
    const pairs = Object.entries(value).map(([name, inner]) => {
      const key = `"${name.replaceAll('"', '""')}"`;
      return property === 'columns' ? `${key} ${String(inner)}` : `${key} = '${String(inner).replaceAll("'", "''")}'`;
    });
    return `(${pairs.join(', ')})`;
  }
  return quoted.has(property) ? `'${String(value).replaceAll("'", "''")}'` : String(value);
}

/** Puts the project's own functions in place of what CUSTOM models would fill their tables with. */
export function withMaterializations(
  models: readonly Model[],
  known: ProjectFunctions['materializations'],
): Result<readonly Model[]> {
  return gather(
    models.map((model): Result<Model> => {
      const wanted = model.kind.materialization;
      if (wanted === undefined) return succeed(model);
      const found = known.get(wanted.name);
      if (found !== undefined) return succeed({ ...model, kind: filledBy(model.kind, found, wanted.properties) });
      return fail({
        code: 'SL0105',
        severity: 'error',
        message: `there is no materialization "${wanted.name}"`,
        location: model.location,
        hint: didYouMean(wanted.name, known.keys()) ?? 'export a function of that name from materializations/*.ts',
      });
    }),
  );
}

function filledBy(
  kind: ModelKind,
  { run, hash }: { readonly run: Materialization; readonly hash: string },
  properties: Readonly<Record<string, string>>,
): ModelKind {
  return {
    ...kind,
    rowProperties: { ...kind.rowProperties, code: hash },
    fill({ interval, target, staging, columns, query, isEmpty }) {
      const [start, end] = [new Date(interval.start), new Date(interval.end)];
      const result = run({ target, staging, columns, query, isEmpty, start, end, properties });
      const statements = typeof result === 'string' ? [result] : result;
      return statements.map((sql, at) => ({ type: 'write', sql, countsRows: at === statements.length - 1 }));
    },
  };
}

/** What TypeScript files of `materializations/` and `signals/` export, by lower-case name. */
export function projectFunctions(modules: {
  readonly materializations: readonly CodeModule[];
  readonly signals: readonly CodeModule[];
}): ProjectFunctions {
  const signals = [...functionsOf<Signal>(modules.signals)].map(([name, { run }]) => [name, run] as const);
  return { materializations: functionsOf<Materialization>(modules.materializations), signals: new Map(signals) };
}

/** Signals that models wait for and nobody wrote. */
export function unknownSignals(models: readonly Model[], known: ProjectFunctions['signals']): readonly Diagnostic[] {
  return models.flatMap((model) =>
    model.signals
      .filter((signal) => !known.has(signal.name))
      .map((signal) => ({
        code: 'SL0105',
        severity: 'error',
        message: `there is no signal "${signal.name}"`,
        location: model.location,
        hint: didYouMean(signal.name, known.keys()) ?? 'export a function of that name from signals/*.ts',
      })),
  );
}

function functionsOf<T extends (...given: never[]) => unknown>(
  modules: readonly CodeModule[],
): ReadonlyMap<string, { readonly run: T; readonly hash: string }> {
  return new Map(
    modules.flatMap(({ exports, hash }) =>
      [...exports].flatMap(([name, exported]) =>
        isFunction<T>(exported) ? [[name.toLowerCase(), { run: exported, hash }] as const] : [],
      ),
    ),
  );
}

function inFile(file: string, message: string, hint?: string): Diagnostic {
  return {
    code: 'SL0109',
    severity: 'error',
    message,
    location: { file, line: 1, column: 1, length: 1, text: '' },
    ...(hint === undefined ? {} : { hint }),
  };
}
