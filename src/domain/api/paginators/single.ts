import { END, type PaginatorKind } from '../paginator.js';

/** The first answer is all there is. */
export const single: PaginatorKind = { name: 'single', read: () => ({ first: {}, next: () => END }) };
