import { locate } from '../../domain/location.js';
import { tokenize } from '../../parse/tokenizer.js';
import type { Finding, LintRule } from '../rule.js';

const readers = /^(?:read_[a-z_]+|[a-z]+_scan|glob|sniff_csv)$/i;

/** Files are read through sources, which have a checksum, a version and a licence; in a query nobody notices that they change. */
export const noFileReaders: LintRule = {
  name: 'nofilereaders',
  code: 'SL0908',
  check({ model }) {
    const { query } = model;
    if (query === undefined || query.jinja !== undefined) return [];
    const { tokens } = tokenize(query.text);
    return tokens.flatMap((token, at): readonly Finding[] => {
      const isCall = token.type === 'word' && readers.test(token.text) && tokens[at + 1]?.text === '(';
      const isFile = token.type === 'string' && /^(?:from|join)$/i.test(tokens[at - 1]?.text ?? '');
      if (!isCall && !isFile) return [];
      const { start } = query.span;
      return [
        {
          message: `${model.key} reads a file itself`,
          location: locate(query.file, { start: start + token.start, end: start + token.end }),
          hint: "declare it: SOURCE (name my_data, uri '…'), and read my_data's table",
        },
      ];
    });
  },
};
