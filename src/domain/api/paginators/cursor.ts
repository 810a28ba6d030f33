import { spanOf } from '../../fragment.js';
import { readPath } from '../json-path.js';
import { END, nameOf, type PaginatorKind, readMore } from '../paginator.js';

/** A mark for what comes next stands in the answer, or in one of its headers, and is sent back as a parameter. */
export const cursor: PaginatorKind = {
  name: 'cursor',
  read(properties) {
    const path = readPath(properties, 'path');
    const header = properties.text('header')?.toLowerCase();
    if (path === undefined && header === undefined && !properties.names.includes('path'))
      properties.report(
        'SL0104',
        properties.ownerSpan,
        'the paginator cursor needs "path" or "header"',
        "path 'meta.next_cursor', or header 'x-next-page'",
      );
    const second = properties.fragment('header');
    if (path !== undefined && second !== undefined)
      properties.report('SL0105', spanOf(second), 'the mark is in the answer or in a header, not in both');
    const param = nameOf(properties, 'param', 'cursor');
    const stopsAfterEmpty = properties.flag('stop_after_empty', false);
    const morePath = readPath(properties, 'has_more_path');
    return {
      first: {},
      next(page) {
        if (stopsAfterEmpty && page.recordCount === 0) return END;
        const more = readMore(page, morePath);
        if (typeof more === 'object') return more;
        const mark = (path === undefined ? page.header(header ?? '') : page.value(path)) ?? '';
        // Interfaces say "no more" with null, an empty text, false or 0.
        return more === 'end' || ['', 'false', '0'].includes(mark)
          ? END
          : { type: 'params', params: { [param]: mark } };
      },
    };
  },
};
