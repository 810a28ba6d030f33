import type { JsonPath } from '../json-path.js';
import { pathText } from '../json-path.js';
import { END, type NextPage, type Page, type PaginatorKind } from '../paginator.js';
import { linkOf } from '../web-link.js';

/** Where interfaces put the next address. */
const linkPaths: readonly JsonPath[] = [
  ...['next', 'next_url', 'nextUrl', 'next_link', 'nextLink', 'next_page_url', 'nextPageUrl', '@odata.nextLink'].map(
    (key) => [key],
  ),
  ...['links', '_links', 'paging', 'pagination', 'meta', 'page', 'info', 'response_metadata'].flatMap((outer) => [
    [outer, 'next'],
    [outer, 'next', 'href'],
    [outer, 'next', 'url'],
    [outer, 'next_url'],
    [outer, 'next_link'],
  ]),
  ['next', 'href'],
  ['next', 'url'],
];

/** Signs that there is more, though no address of it is known. */
const moreSigns: readonly { readonly path: JsonPath; isMore(said: string): boolean }[] = [
  ...['has_more', 'hasMore', 'has_next', 'hasNext', 'has_next_page', 'hasNextPage'].map((key) => ({
    path: [key],
    isMore: (said: string) => said === 'true',
  })),
  ...['total_pages', 'totalPages', 'page_count', 'pageCount'].map((key) => ({
    path: [key],
    isMore: (said: string) => Number(said) > 1,
  })),
  ...['next_cursor', 'nextCursor', 'next_page_token', 'nextPageToken', 'next_page', 'nextPage', 'next'].map((key) => ({
    path: [key],
    isMore: (said: string) => !['', 'false', '0'].includes(said),
  })),
];
const wrappings: readonly JsonPath[] = [[], ...['meta', 'pagination', 'paging', 'page', 'info'].map((key) => [key])];

/**
 * Finds the next address where most interfaces put it: in the header `Link`, or at a usual place of the answer. Where
 * the first answer has none and says that there is more, it is an error: half of the records would look like all.
 */
export const auto: PaginatorKind = {
  name: 'auto',
  read: () => ({
    first: {},
    next(page) {
      const linked = linkOf(page.header('link') ?? '', 'next');
      if (linked !== undefined) return { type: 'link', link: linked };
      for (const path of linkPaths) {
        const link = page.value(path);
        if (link !== undefined && /^(?:https?:\/\/|\/|\?)/i.test(link)) return { type: 'link', link };
      }
      return page.index === 0 ? noSign(page) : END;
    },
  }),
};

function noSign(page: Page): NextPage {
  for (const outer of wrappings) {
    for (const { path, isMore } of moreSigns) {
      const full = [...outer, ...path];
      const said = page.value(full);
      if (said === undefined || !isMore(said)) continue;
      return {
        type: 'problem',
        message: `the answer says that there is more (${pathText(full)} is ${said}), and not at which address`,
        hint: 'name its paginator: page, offset or cursor; or paginator (type single), where one page is all that is wanted',
      };
    }
  }
  return END;
}
