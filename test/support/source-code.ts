/** TypeScript source with everything that is no code blanked out; offsets and lines stay as they are. */
export interface SourceCode {
  /** As it stands in the file. */
  readonly text: string;
  /** Without comments. */
  readonly withStrings: string;
  /** Without comments, and without what stands inside strings, templates and regular expressions. */
  readonly bare: string;
}

const regexMayFollow = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await))\s*$/;

/** Blanks comments and literals out. It knows no grammar beyond that: enough to search code and not prose. */
export function readSource(text: string): SourceCode {
  const withStrings = text.split('');
  const bare = [...withStrings];
  const blank = (target: string[], from: number, to: number): void => {
    for (let at = from; at < to; at++) if (target[at] !== '\n') target[at] = ' ';
  };
  // Depth of braces inside each `${` that is open.
  const templates: number[] = [];
  let at = 0;
  const skipTemplate = (): void => {
    const start = at;
    for (; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '`' || text.startsWith('${', at)) break;
    }
    blank(bare, start, at);
    if (text[at] === '`') at++;
    else if (at < text.length) {
      at += 2;
      templates.push(0);
    }
  };
  while (at < text.length) {
    const char = text[at];
    const start = at;
    if (text.startsWith('//', at)) {
      at = endOr(text.indexOf('\n', at), text.length);
      blank(withStrings, start, at);
      blank(bare, start, at);
    } else if (text.startsWith('/*', at)) {
      at = endOr(text.indexOf('*/', at + 2) + 2, text.length, 2);
      blank(withStrings, start, at);
      blank(bare, start, at);
    } else if (char === "'" || char === '"') {
      at = endOfLiteral(text, at + 1, char);
      blank(bare, start + 1, at - 1);
    } else if (char === '/' && regexMayFollow.test(bare.slice(Math.max(0, start - 40), start).join(''))) {
      at = endOfRegex(text, at + 1);
      blank(bare, start + 1, at - 1);
    } else if (char === '`') {
      at++;
      skipTemplate();
    } else {
      const open = templates.length - 1;
      if (char === '{' && open >= 0) templates[open] = (templates[open] ?? 0) + 1;
      else if (char === '}' && open >= 0) {
        if (templates[open] === 0) {
          templates.pop();
          at++;
          skipTemplate();
          continue;
        }
        templates[open] = (templates[open] ?? 0) - 1;
      }
      at++;
    }
  }
  return { text, withStrings: withStrings.join(''), bare: bare.join('') };
}

function endOr(found: number, otherwise: number, least = 0): number {
  return found < least ? otherwise : found;
}

/** A quote that is never closed (an apostrophe in JSX text) ends at its line's end. */
function endOfLiteral(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote || text[at] === '\n') return at + 1;
  }
  return text.length;
}

function endOfRegex(text: string, from: number): number {
  let inClass = false;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '\n' || (text[at] === '/' && !inClass)) return at + 1;
  }
  return text.length;
}

/** One import of a file: of types, of values, or at run time. */
export interface ImportOf {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
}

const importForms =
  /\b(?:import|export)\s(?:[^'"`;()]*?\bfrom\s*)?(['"])([^'"\n]+)\1|\bimport\s*\(\s*(['"])([^'"\n]+)\3/g;

/** All that a file imports: `import … from`, `import type`, `export … from`, `import()` in values and in types. */
export function importsOf({ withStrings, bare }: SourceCode): readonly ImportOf[] {
  const found: ImportOf[] = [];
  for (const match of withStrings.matchAll(importForms)) {
    // The words must be code themselves, not a string's content.
    if (bare.slice(match.index, match.index + 6) !== match[0].slice(0, 6)) continue;
    found.push({ specifier: match[2] ?? match[4] ?? '', line: lineAt(withStrings, match.index) });
  }
  return found;
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
