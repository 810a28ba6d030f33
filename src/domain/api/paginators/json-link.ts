import { readPath } from '../json-path.js';
import { END, type PaginatorKind } from '../paginator.js';

/** The next address stands in the answer. */
export const jsonLink: PaginatorKind = {
  name: 'json_link',
  read(properties) {
    const path = readPath(properties, 'path') ?? ['next'];
    return {
      first: {},
      next(page) {
        const link = page.value(path) ?? '';
        return link === '' || link === 'false' ? END : { type: 'link', link };
      },
    };
  },
};
