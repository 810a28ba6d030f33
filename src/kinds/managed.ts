import { full } from './full.js';
import type { KindDefinition } from './kind.js';

/** `MANAGED`: tables that an engine keeps fresh by itself. DuckDB has none, and a table that goes stale would be a lie. */
export const managed: KindDefinition = {
  names: ['MANAGED'],
  read(properties) {
    properties.report(
      'SL0105',
      properties.ownerSpan,
      'MANAGED needs an engine that refreshes tables by itself (dynamic tables); DuckDB does not',
      'make it FULL and let cron say how often it is built, or VIEW to be always fresh',
    );
    return full.read(properties);
  },
};
