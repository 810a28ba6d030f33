/** Operators that a shell would act on. */
const operators = new Set(['|', '||', '&&', '&', ';', '>', '>>', '<', '2>', '2>&1']);

export type SplitArguments =
  | { readonly type: 'arguments'; readonly argv: readonly string[] }
  | { readonly type: 'problem'; readonly message: string; readonly hint: string };

/**
 * Splits a line into a program and its arguments as a shell does for blanks, quotes and backslashes. Nothing else of a
 * shell is done: `$X` and `*` stay as they are, and operators are refused.
 *
 * @source POSIX, Shell Command Language, 2.2 Quoting
 */
export function splitArguments(line: string): SplitArguments {
  const argv: string[] = [];
  let word: string | undefined;
  let isBare = true;
  const end = (): string | undefined => {
    const finished = word;
    if (finished !== undefined) argv.push(finished);
    const operator = isBare && finished !== undefined && operators.has(finished) ? finished : undefined;
    word = undefined;
    isBare = true;
    return operator;
  };
  const shell = (operator: string): SplitArguments => ({
    type: 'problem',
    message: `no shell runs this command, and "${operator}" is for one`,
    hint: `quote it if it is an argument, or name the shell: command:sh -c "…"`,
  });
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (/\s/.test(char)) {
      const operator = end();
      if (operator !== undefined) return shell(operator);
    } else if (char === "'" || char === '"') {
      const quoted = readQuoted(line, at);
      if (quoted === undefined)
        return {
          type: 'problem',
          message: `a quote (${char}) is never closed`,
          hint: `close it; in SQL a ' in a string is written ''`,
        };
      word = `${word ?? ''}${quoted.text}`;
      isBare = false;
      at = quoted.end;
    } else if (char === '\\' && at + 1 < line.length) {
      word = `${word ?? ''}${line[at + 1]}`;
      isBare = false;
      at += 1;
    } else word = `${word ?? ''}${char}`;
  }
  const operator = end();
  if (operator !== undefined) return shell(operator);
  if (argv.length === 0 || argv[0] === '')
    return { type: 'problem', message: 'it names no program', hint: 'command:python3 ingest/fetch.py --year 2024' };
  return { type: 'arguments', argv };
}

/** @returns the text between the quotes, and the place of the closing one */
function readQuoted(line: string, open: number): { readonly text: string; readonly end: number } | undefined {
  const quote = line[open];
  let text = '';
  for (let at = open + 1; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === quote) return { text, end: at };
    const next = line[at + 1] ?? '';
    if (quote === '"' && char === '\\' && '"\\$`'.includes(next) && next !== '') {
      text += next;
      at += 1;
    } else text += char;
  }
  return undefined;
}
