import { END, nameOf, type PaginatorKind } from '../paginator.js';
import { linkOf } from '../web-link.js';

/** The next address stands in the header `Link`, under a relation. */
export const headerLink: PaginatorKind = {
  name: 'header_link',
  read(properties) {
    const relation = nameOf(properties, 'rel', 'next');
    return {
      first: {},
      next(page) {
        const link = linkOf(page.header('link') ?? '', relation);
        return link === undefined ? END : { type: 'link', link };
      },
    };
  },
};
