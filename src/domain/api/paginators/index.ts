import type { PaginatorKind } from '../paginator.js';
import { auto } from './auto.js';
import { cursor } from './cursor.js';
import { headerLink } from './header-link.js';
import { jsonLink } from './json-link.js';
import { offset } from './offset.js';
import { page } from './page.js';
import { single } from './single.js';

/** Every way to go through pages. */
export const paginators: readonly PaginatorKind[] = [auto, single, page, offset, headerLink, jsonLink, cursor];
