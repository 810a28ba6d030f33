import { createHash } from 'node:crypto';
import type { Provenance } from '../../domain/provenance.js';

/** The table's rows as a file beside the description. */
export interface DataFile {
  /** Relative to the folder of the export, with forward slashes. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly rows: number;
}

/** What a description is made from. */
export interface ExportInput {
  readonly provenance: Provenance;
  readonly project: string;
  /** ISO, UTC. */
  readonly madeAt: string;
  readonly scilakeVersion: string;
  readonly data: DataFile;
  /** Files of the models, relative to the folder of the export. */
  readonly models: readonly { readonly path: string; readonly model: string }[];
}

/** One way of others to describe where data come from. Adding one is a file, its test against its own validator, and a line in `index.ts`. */
export interface Exporter {
  readonly name: string;
  readonly fileName: string;
  readonly summary: string;
  write(input: ExportInput): string;
}

/** `10.1038/ncomms14049`, without what people write in front of it; undefined where it is no DOI. */
export function plainDoi(text: string): string | undefined {
  const plain = text.trim().replace(/^(?:doi:|https?:\/\/(?:dx\.)?doi\.org\/)/i, '');
  return /^10\.\d{4,9}\/\S+$/.test(plain) ? plain : undefined;
}

/** A stable UUID (version 5 in form) of any text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** One license for the table where all sources agree; undefined otherwise. */
export function commonLicense({ licenses }: Provenance): string | undefined {
  const [only, ...others] = licenses;
  return others.length === 0 && only?.license !== '' ? only?.license : undefined;
}

/** The address of a license's text. */
export function licenseUrl(license: string): string {
  return `https://spdx.org/licenses/${license}`;
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export function titleOf({ provenance, project }: ExportInput): string {
  return `${provenance.model} of ${project}`;
}

export function descriptionOf({ provenance, project }: ExportInput): string {
  const sources = provenance.sources.map(({ source }) => source).join(', ');
  return (
    provenance.description ||
    `Table ${provenance.model} of the project ${project}, made from ${sources || 'no source'}.`
  );
}
