import { nameOf, type PaginatorKind } from '../paginator.js';
import { readEnd } from './numbered.js';

/** Pages by their number: `page=1`, `page=2`, … Its total counts pages. */
export const page: PaginatorKind = {
  name: 'page',
  read(properties) {
    const param = nameOf(properties, 'param', 'page');
    const start = properties.count('start', 0);
    const base = properties.count('base', 0);
    const first = start ?? base ?? 0;
    const end = readEnd(properties, base ?? first);
    return {
      first: { [param]: String(first) },
      next(page) {
        const following = first + page.index + 1;
        return end.next(page, following, { type: 'params', params: { [param]: String(following) } });
      },
    };
  },
};
