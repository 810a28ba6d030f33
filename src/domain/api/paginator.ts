import { asText, spanOf } from '../fragment.js';
import type { PropertyReader } from '../property-reader.js';
import type { JsonPath } from './json-path.js';

/** One answer of an interface, as a paginator looks at it. */
export interface Page {
  /** 0 for the first. */
  readonly index: number;
  readonly recordCount: number;
  /** A text, the digits of a number as they stand, `true` or `false`; undefined for null, lists, objects and what is not there. */
  value(path: JsonPath): string | undefined;
  /** By lower-case name. */
  header(name: string): string | undefined;
}

/** What is asked for after a page. */
export type NextPage =
  /** The first address again, with these parameters instead of those of the same name. */
  | { readonly type: 'params'; readonly params: Readonly<Record<string, string>> }
  /** Another address, perhaps relative to that of the page. */
  | { readonly type: 'link'; readonly link: string }
  | { readonly type: 'end' }
  /** The answer is not what was declared. */
  | { readonly type: 'problem'; readonly message: string; readonly hint: string };

/** Goes from page to page. It keeps no state: all that it needs is in the page. */
export interface Paginator {
  /** Parameters of the first request. */
  readonly first: Readonly<Record<string, string>>;
  next(page: Page): NextPage;
}

/** One way to go through pages. Adding one is a file, its test, and a line in `paginators/index.ts`. */
export interface PaginatorKind {
  readonly name: string;
  /** Reads its properties, and reports what is wrong with them. */
  read(properties: PropertyReader): Paginator;
}

export const END: NextPage = { type: 'end' };

/** `has_more`: whether more is to come, where the answer says so. */
export function readMore(page: Page, path: JsonPath | undefined): 'more' | 'end' | NextPage {
  if (path === undefined) return 'more';
  const said = page.value(path)?.toLowerCase();
  if (said === 'true' || said === '1') return 'more';
  if (said === 'false' || said === '0') return 'end';
  return {
    type: 'problem',
    message: `its has_more_path leads to ${said === undefined ? 'nothing' : `"${said}"`}, not to true or false`,
    hint: 'look at an answer, and name the path of the value that says whether there is more',
  };
}

/** The whole number at a path. */
export function readTotal(page: Page, path: JsonPath): number | NextPage {
  const said = page.value(path);
  const total = Number(said);
  if (said !== undefined && said.trim() !== '' && Number.isInteger(total)) return total;
  return {
    type: 'problem',
    message: `its total_path leads to ${said === undefined ? 'nothing' : `"${said}"`}, not to a whole number`,
    hint: 'look at an answer, and name the path of the total; or leave total_path out, and it goes on to an empty page',
  };
}

/** A text that must not be empty. */
export function nameOf(properties: PropertyReader, name: string, fallback: string): string {
  const value = properties.fragment(name);
  const text = value === undefined ? fallback : asText(value);
  if (value !== undefined && text.trim() === '') properties.report('SL0105', spanOf(value), `"${name}" is empty`);
  return text;
}
