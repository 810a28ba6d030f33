import { type NextPage, nameOf, type PaginatorKind } from '../paginator.js';
import { readEnd } from './numbered.js';

/** Pages by how many records are passed over: `offset=100&limit=100`. Its total counts records. */
export const offset: PaginatorKind = {
  name: 'offset',
  read(properties) {
    properties.required('limit', 'say how many records a page has: limit 100');
    const limit = properties.count('limit', 1) ?? 1;
    const start = properties.count('offset', 0) ?? 0;
    const offsetParam = nameOf(properties, 'offset_param', 'offset');
    const limitParam = nameOf(properties, 'limit_param', 'limit');
    const end = readEnd(properties, 0);
    const paramsOf = (from: number): Readonly<Record<string, string>> => ({
      [offsetParam]: String(from),
      [limitParam]: String(limit),
    });
    return {
      first: paramsOf(start),
      next(page) {
        const following = start + (page.index + 1) * limit;
        const next = end.next(page, following, { type: 'params', params: paramsOf(following) });
        // A server that gives fewer than it is asked for would have records passed over in silence.
        return next.type === 'params' && properties.names.includes('total_path') && page.recordCount < limit
          ? tooFew(page.recordCount, limit)
          : next;
      },
    };
  },
};

function tooFew(recordCount: number, limit: number): NextPage {
  return {
    type: 'problem',
    message: `a page that is not the last has ${recordCount} records, and ${limit} were asked for: records would be passed over`,
    hint: `set limit to what the interface allows, perhaps ${Math.max(1, recordCount)}; or leave total_path out where pages may be short`,
  };
}
