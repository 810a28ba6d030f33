import type { Diagnostic, Result } from '../../src/domain/diagnostic.js';
import type { Interval } from '../../src/domain/interval.js';
import type { TextFile } from '../../src/domain/location.js';
import type { Model, SqlText } from '../../src/domain/model.js';
import type { ModelDefaults } from '../../src/domain/project.js';
import { emptyModelDefaults } from '../../src/parse/config.js';
import { parseModelFile } from '../../src/parse/model-file.js';

export const modelDefaults: ModelDefaults = emptyModelDefaults;

/** A file of a project, with a path that tests need not care about. */
export function textFile(text: string, path = 'models/s/m.sql'): TextFile {
  return { path, text };
}

/** One whole statement as a file holds it. */
export function sqlText(text: string): SqlText {
  return { file: textFile(text), span: { start: 0, end: text.length }, text };
}

/** The value of what must have succeeded. */
export function succeeded<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`unexpected errors: ${JSON.stringify(result.errors, null, 1)}`);
  return result.value;
}

/** The errors of what must have failed. */
export function errorsOf(result: Result<unknown>): readonly Diagnostic[] {
  if (result.ok) throw new Error('expected errors, there are none');
  return result.errors;
}

/** The model of a file that must hold one. */
export function modelFile(text: string, defaults: Partial<ModelDefaults> = {}): Model {
  const [model] = succeeded(parseModelFile(textFile(text), { ...modelDefaults, ...defaults }));
  if (model === undefined) throw new Error('the file has no enabled model');
  return model;
}

/** A model whose header holds these properties beside its name. */
export function modelWith(properties: string, query = 'SELECT 1 AS a'): Model {
  return modelFile(`MODEL (name s.m${properties === '' ? '' : `, ${properties}`});\n${query}`);
}

/** What is wrong with a model file, short: `line:column+length code message`. */
export function problemsOf(text: string, defaults: Partial<ModelDefaults> = {}): readonly string[] {
  return errorsOf(parseModelFile(textFile(text), { ...modelDefaults, ...defaults })).map(inShort);
}

/** `line:column+length code message`. */
export function inShort({ code, message, location }: Diagnostic): string {
  const at = location === undefined ? '' : `${location.line}:${location.column}+${location.length} `;
  return `${at}${code} ${message}`;
}

/** The interval between two UTC times, written as dates or datetimes. */
export function between(start: string, end: string): Interval {
  return { start: utc(start), end: utc(end) };
}

/** ms of a UTC time written as `2024-01-01`, `2024-01-01 10:00` or `2024-01-01T10:00Z`. */
export function utc(text: string): number {
  const [date, time = '00:00'] = text.replace('T', ' ').replace(/Z$/, '').split(' ');
  return Date.parse(`${date}T${time}Z`);
}
