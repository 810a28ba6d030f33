import type { Command as CommanderCommand } from 'commander';
import type { Outside, Workspace } from '../workflow.js';

/** What a command may touch besides the project. */
export interface Shell {
  readonly out: (text: string) => void;
  /** Progress and messages; standard output stays clean for results. */
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly outside: Omit<Outside, 'emit'>;
  /** Asks a yes-or-no question; without a terminal nobody is asked and the answer is yes. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly project: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly executionTime?: string;
  /** How long the lake is waited for where somebody else holds it, ms. */
  readonly waitMs: number;
}

export interface CommandContext {
  readonly shell: Shell;
  readonly options: CommonOptions;
  readonly workspace: Workspace;
}

/** One command of the CLI: its arguments for the help page, and what it does. */
export interface CommandDefinition {
  /** Adds arguments and options. */
  configure(command: CommanderCommand): void;
  /** @returns the exit code */
  run(
    context: CommandContext,
    positionals: readonly string[],
    options: Readonly<Record<string, unknown>>,
  ): Promise<number>;
}

/** A command by name; its module is loaded when it is called, not before. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  load(): Promise<CommandDefinition>;
}

export const exitCodes = { done: 0, errors: 1, usage: 2, lakeMoved: 3, bug: 70 } as const;

/** A wrong use of a command: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function textOption(options: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function textOptions(options: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function flagOption(options: Readonly<Record<string, unknown>>, name: string): boolean {
  return options[name] === true;
}

/** Collects an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A whole number of at least `minimum`. */
export function countOption(
  options: Readonly<Record<string, unknown>>,
  name: string,
  minimum: number,
): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < minimum)
    throw new UsageError(
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} takes a whole number of at least ${minimum}, not ${text}`,
    );
  return value;
}
