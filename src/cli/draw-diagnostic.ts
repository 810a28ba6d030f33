import type { Diagnostic, SourceLocation } from '../domain/diagnostic.js';
import type { Style } from './style.js';

/** A diagnostic as people read it: where, what, the line with the span marked, a hint, related places. */
export function drawDiagnostic(diagnostic: Diagnostic, style: Style): string {
  const { location, severity, code, message, hint, related = [] } = diagnostic;
  const word = severity === 'error' ? style.red('error') : style.yellow('warning');
  const head = `${location === undefined ? '' : `${style.bold(place(location))}  `}${word} ${code}  ${message}`;
  const lines = [head];
  if (location !== undefined && location.text.trim() !== '') lines.push(...excerpt(location, style));
  if (hint !== undefined) lines.push(`${style.cyan('hint:')} ${hint}`);
  for (const { message: why, location: where } of related) lines.push(`  ${place(where)}  ${why}`);
  return `${lines.join('\n')}\n`;
}

function place({ file, line, column }: SourceLocation): string {
  return `${file}:${line}:${column}`;
}

function excerpt({ line, column, length, text }: SourceLocation, style: Style): readonly string[] {
  const gutter = String(line).padStart(5);
  // Tabs keep their width under the marks.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return [
    `${style.dim(`${gutter} |`)} ${text}`,
    `${style.dim(`${' '.repeat(5)} |`)} ${indent}${style.red('~'.repeat(length))}`,
  ];
}
