import { spanOf } from '../../fragment.js';
import type { PropertyReader } from '../../property-reader.js';
import { readPath } from '../json-path.js';
import { END, type NextPage, type Page, readMore, readTotal } from '../paginator.js';

/** What pages by number and by offset have in common: where a count that goes up comes to its end. */
export interface NumberedEnd {
  next(page: Page, following: number, request: NextPage): NextPage;
}

/**
 * Reads `total_path`, `maximum`, `has_more_path` and `stop_after_empty`; at least one of them has to end it.
 *
 * @param base  the number of the first item there is, from which the total counts
 * @source dlt's RangePaginator: the total and the maximum are where it stops, and are not asked for themselves
 */
export function readEnd(properties: PropertyReader, base: number): NumberedEnd {
  const totalPath = readPath(properties, 'total_path');
  const morePath = readPath(properties, 'has_more_path');
  const maximum = properties.count('maximum', 1);
  const stopsAfterEmpty = properties.flag('stop_after_empty', true);
  const written = properties.fragment('stop_after_empty');
  if (
    written !== undefined &&
    !stopsAfterEmpty &&
    totalPath === undefined &&
    morePath === undefined &&
    maximum === undefined
  )
    properties.report(
      'SL0105',
      spanOf(written),
      'nothing ends these pages',
      'give total_path, has_more_path or maximum, or leave stop_after_empty as it is',
    );
  return {
    next(page, following, request) {
      if (stopsAfterEmpty && page.recordCount === 0) return END;
      const total = totalPath === undefined ? undefined : readTotal(page, totalPath);
      if (typeof total === 'object') return total;
      if (total !== undefined && following >= total + base) return END;
      if (maximum !== undefined && following >= maximum) return END;
      const more = readMore(page, morePath);
      if (typeof more === 'object') return more;
      return more === 'end' ? END : request;
    },
  };
}
