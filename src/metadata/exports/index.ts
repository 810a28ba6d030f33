import { citationCff } from './citation-cff.js';
import { croissant } from './croissant.js';
import { dataCite } from './datacite.js';
import type { Exporter } from './export.js';
import { openLineage } from './openlineage.js';
import { provJson } from './prov-json.js';
import { roCrate } from './ro-crate.js';

export type { DataFile, Exporter, ExportInput } from './export.js';

/** Every way of others to describe where data come from. */
export const exporters: readonly Exporter[] = [provJson, roCrate, openLineage, croissant, dataCite, citationCff];
