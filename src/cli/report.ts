import type { Diagnostic } from '../domain/diagnostic.js';
import { type CommandContext, exitCodes, type Shell } from './command.js';
import { drawDiagnostic } from './draw-diagnostic.js';
import { styleOf } from './style.js';

/** Diagnostics that mean "try again later", not "correct something". */
const lakeCodes: ReadonlySet<string> = new Set(['SL0702', 'SL0705', 'SL0709']);

/** Shows all diagnostics, and as JSON on standard output where that was asked for. @returns the exit code */
export function reportErrors(
  { shell, options }: Pick<CommandContext, 'shell' | 'options'>,
  diagnostics: readonly Diagnostic[],
): number {
  const style = styleOf(shell.hasColor);
  const inOrder = [...diagnostics].sort(byPlace);
  for (const diagnostic of inOrder) shell.err(`${drawDiagnostic(diagnostic, style)}\n`);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  if (errors > 1) shell.err(`${errors} errors\n`);
  if (options.json) showJson(shell, { errors: inOrder });
  return exitCodeOf(diagnostics);
}

export function exitCodeOf(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.some((diagnostic) => lakeCodes.has(diagnostic.code)) ? exitCodes.lakeMoved : exitCodes.errors;
}

export function reportWarnings({ shell }: Pick<CommandContext, 'shell'>, warnings: readonly Diagnostic[]): void {
  const style = styleOf(shell.hasColor);
  for (const warning of warnings) shell.err(drawDiagnostic(warning, style));
}

/** One JSON document on standard output. */
export function showJson(shell: Shell, value: unknown): void {
  shell.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** By file and line; what has no place comes first. */
function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [x, y] = [a.location, b.location];
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined);
  return x.file === y.file ? x.line - y.line || x.column - y.column : x.file < y.file ? -1 : 1;
}
