import { createHash } from 'node:crypto';
import type { ApiDeclaration } from '../../../domain/api/declaration.js';
import { type JsonPath, pathText } from '../../../domain/api/json-path.js';
import type { NextPage } from '../../../domain/api/paginator.js';
import { type Diagnostic, DiagnosticError } from '../../../domain/diagnostic.js';
import { itemsOf, type JsonSpan, membersOf, onOneLine, scalarAt, spanAt, wholeSpan } from '../../json-text.js';
import type { Answer, ApiClient } from './client.js';

/** How deep a list of records is looked for that nobody has named. */
const LIST_DEPTH = 3;

export interface PageRequest {
  readonly name: string;
  readonly api: ApiDeclaration;
  readonly first: URL;
  readonly client: ApiClient;
}

/**
 * The records of an interface, page by page, each as one line of JSON that has the same keys, order and digits as in
 * the answer.
 *
 * @throws PlaceError; DiagnosticError SL0513 where the answers are not what was declared, or never end
 */
export async function* recordPages(request: PageRequest): AsyncGenerator<readonly string[]> {
  const { api, first, client } = request;
  const asked = new Set<string>();
  let url = withParams(first, api.paginator.first);
  let path = api.records;
  let before: string | undefined;
  for (let index = 0; ; index += 1) {
    if (api.maxPages !== undefined && index >= api.maxPages)
      throw problem(request, `there are more pages than max_pages ${api.maxPages}`, 'raise max_pages, or ask for less');
    asked.add(url.href);
    const answer = await client.ask(url);
    if (answer.text !== '') path ??= onlyList(answer.text, request);
    const records = path === undefined || answer.text === '' ? [] : recordsAt(answer.text, path, request);
    const content = createHash('sha256').update(records.join('\n')).digest('hex');
    if (records.length > 0 && content === before)
      throw problem(
        request,
        `page ${index + 1} is the same as the one before it: the interface does not go on (${client.shown(url)})`,
        "look at the names of the paginator's parameters, and at where it ends: total_path, has_more_path or maximum",
      );
    before = content;
    yield records;
    const next = api.paginator.next({
      index,
      recordCount: records.length,
      value: (at) => scalarAt(answer.text, at),
      header: (name) => answer.headers[name],
    });
    if (next.type === 'end') return;
    url = addressOf(next, { first, answer }, request);
    if (asked.has(url.href))
      throw problem(
        request,
        `page ${index + 1} names a page that has been asked for already: ${client.shown(url)}`,
        'the pages go round in a circle; look at the paginator',
      );
  }
}

function addressOf(
  next: Exclude<NextPage, { readonly type: 'end' }>,
  { first, answer }: { readonly first: URL; readonly answer: Answer },
  request: PageRequest,
): URL {
  switch (next.type) {
    case 'params':
      return withParams(first, next.params);
    case 'link': {
      if (!URL.canParse(next.link, answer.url.href))
        throw problem(request, 'the next page has no address that can be read', 'look at the path of the paginator');
      const url = new URL(next.link, answer.url);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw problem(
          request,
          `the next page is at ${url.protocol}, which is not followed`,
          'look at the path of the paginator',
        );
      return request.client.withoutCredentials(url);
    }
    case 'problem':
      throw problem(request, next.message, next.hint);
    default:
      return next satisfies never;
  }
}

function withParams(url: URL, params: Readonly<Record<string, string>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(params)) changed.searchParams.set(name, value);
  return changed;
}

/** Where the one list of an answer is. */
function onlyList(text: string, request: PageRequest): JsonPath {
  const whole = wholeSpan(text);
  if (text[whole.start] === '[') return [];
  const lists = [...listsIn(text, whole, [])];
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only;
  throw lists.length === 0
    ? problem(request, 'the answer has no list of records', "name the record itself, where it is one: records '$'")
    : problem(
        request,
        `the answer has several lists: ${lists.slice(0, 5).map(pathText).join(', ')}`,
        `say which are the records: records '${pathText(lists[0] ?? [])}'`,
      );
}

function* listsIn(text: string, span: JsonSpan, path: JsonPath): Generator<JsonPath> {
  if (path.length >= LIST_DEPTH) return;
  for (const { key, ...member } of membersOf(text, span)) {
    const own = [...path, key];
    if (text[member.start] === '[') yield own;
    else yield* listsIn(text, member, own);
  }
}

/** The records of a list; of an object the object; none of null. */
function recordsAt(text: string, path: JsonPath, request: PageRequest): readonly string[] {
  const span = spanAt(text, path);
  if (span === undefined) {
    const keys = [...membersOf(text, wholeSpan(text))].map(({ key }) => key);
    throw problem(
      request,
      `the answer has nothing at ${pathText(path)}${keys.length === 0 ? '' : `; it has ${keys.slice(0, 8).join(', ')}`}`,
      'look at an answer, and name the path of the records',
    );
  }
  const first = text[span.start];
  if (first === '{') return [onOneLine(text, span)];
  if (first === '[') return [...itemsOf(text, span)].map((item) => onOneLine(text, item));
  if (text.slice(span.start, span.end) === 'null') return [];
  throw problem(request, `the answer has a single value at ${pathText(path)}, no list`, 'name the path of the records');
}

function problem({ name, api, client }: PageRequest, message: string, hint: string): DiagnosticError {
  const diagnostic: Diagnostic = {
    code: 'SL0513',
    severity: 'error',
    message: client.clean(`source "${name}": ${message}`),
    location: api.location,
    hint,
  };
  return new DiagnosticError([diagnostic]);
}
