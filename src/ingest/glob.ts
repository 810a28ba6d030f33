/** Whether a path is a pattern: it has a `*`, a `?` or a list in braces. */
export function isGlob(text: string): boolean {
  return /[*?]|\{[^}]*,/.test(text);
}

/** The folders of a pattern that are plain text, with the slash at their end; empty where the first part is a pattern. */
export function globBase(pattern: string): string {
  const magic = pattern.search(/[*?{]/);
  const plain = magic < 0 ? pattern : pattern.slice(0, magic);
  return plain.slice(0, plain.lastIndexOf('/') + 1);
}

/** The plain text that every name of a pattern begins with: what a store can be asked for. */
export function globPrefix(pattern: string): string {
  const magic = pattern.search(/[*?{]/);
  return magic < 0 ? pattern : pattern.slice(0, magic);
}

/**
 * Whether a path, with forward slashes, is meant by a pattern: `*` is any text within a folder, `?` one character of it,
 * `**` any folders, none included, `{a,b}` either. As in a shell, a hidden name is meant only where the dot is written.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const expression = new RegExp(`^${translated(pattern)}$`, 'su');
  return (path) => expression.test(path);
}

const UNHIDDEN = '(?!\\.)';

function translated(pattern: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at);
    const isStart = at === 0 || pattern[at - 1] === '/';
    const [folders] = /^(?:\*\*\/)+/.exec(rest) ?? [];
    const [stars] = /^\*+/.exec(rest) ?? [];
    const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    if (isStart && folders !== undefined) {
      text += `(?:${UNHIDDEN}[^/]+/)*`;
      at += folders.length;
    } else if (isStart && rest === '**') {
      text += `(?:${UNHIDDEN}[^/]+/)*${UNHIDDEN}[^/]+`;
      at += 2;
    } else if (stars !== undefined) {
      // One star and several within a name mean the same; one lookup less for each.
      text += isStart ? `${UNHIDDEN}[^/]*` : '[^/]*';
      at += stars.length;
    } else {
      if (character === '?') text += isStart ? `${UNHIDDEN}[^/]` : '[^/]';
      else if (character === '{' && rest.includes('}')) {
        depth += 1;
        text += '(?:';
      } else if (character === '}' && depth > 0) {
        depth -= 1;
        text += ')';
      } else if (character === ',' && depth > 0) text += '|';
      else text += character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
      at += character.length;
    }
  }
  return depth === 0 ? text : `${text}${')'.repeat(depth)}`;
}
