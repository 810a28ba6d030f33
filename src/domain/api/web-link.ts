/** A token, or a text in quotes, as a parameter of a link has it. */
const parameter = /\s*;\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";,]*)))?/y;

/**
 * The address that a `Link` header gives for a relation; undefined where it gives none.
 *
 * @source RFC 8288, section 3: several links apart by commas, each with parameters; `rel` lists relations, its case does not count
 */
export function linkOf(header: string, relation: string): string | undefined {
  let at = 0;
  for (;;) {
    const open = header.indexOf('<', at);
    const close = open < 0 ? -1 : header.indexOf('>', open);
    if (close < 0) return undefined;
    at = close + 1;
    let relations: string | undefined;
    for (;;) {
      parameter.lastIndex = at;
      const found = parameter.exec(header);
      if (found === null) break;
      at = parameter.lastIndex;
      // Of several, the first counts.
      if (found[1]?.toLowerCase() === 'rel') relations ??= found[2] ?? found[3] ?? '';
    }
    const listed = (relations ?? '').toLowerCase().split(/\s+/);
    if (listed.includes(relation.toLowerCase())) return header.slice(open + 1, close).trim();
  }
}
