import { literal } from '../domain/names.js';

/** What is declared of a source; what is undefined or empty is left out. */
export interface SourceDeclaration {
  readonly name: string;
  readonly uri: string;
  readonly format?: string | undefined;
  readonly doi?: string | undefined;
  readonly accession?: string | undefined;
  /** Where it is left out, a comment asks for it. */
  readonly license?: string | undefined;
  readonly checksum?: string | undefined;
  readonly description?: string | undefined;
  readonly citation?: string | undefined;
  readonly homepage?: string | undefined;
}

/** Without a value of its own, and in front of another property: it can be filled in without looking at commas. */
const ASK_FOR_LICENSE = "  -- license '…', not known: look it up, and take the dashes away";

/** A declaration as the text of a file, laid out as `scilake format` does. */
export function writeSource(declared: SourceDeclaration): string {
  const quoted = (name: keyof SourceDeclaration): readonly string[] => {
    const value = declared[name] ?? '';
    return value === '' ? [] : [`  ${name} ${literal(value)}`];
  };
  const { name, format = '', license = '' } = declared;
  const properties = [
    `  name ${plainOr(name, `"${name.replaceAll('"', '""')}"`)}`,
    ...quoted('uri').map((line) => (license === '' ? `${ASK_FOR_LICENSE}\n${line}` : line)),
    ...(format === '' ? [] : [`  format ${plainOr(format, literal(format))}`]),
    ...quoted('doi'),
    ...quoted('accession'),
    ...quoted('license'),
    ...quoted('checksum'),
    ...quoted('description'),
    ...quoted('citation'),
    ...quoted('homepage'),
  ];
  return `SOURCE (\n${properties.join(',\n')}\n);\n`;
}

function plainOr(word: string, otherwise: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(word) ? word : otherwise;
}
