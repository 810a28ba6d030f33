import type { Conversion } from '../domain/convert.js';
import type { Result } from '../domain/diagnostic.js';
import { isRecord } from '../domain/json.js';
import type { ConvertRequest, ProgressUnit } from './format.js';

/**
 * Messages between a process and its worker. Both ends are this program at one version and messages are cloned by Node,
 * so only their outline is looked at.
 */
export interface ConvertTask {
  readonly request: ConvertRequest & { readonly out: string };
  readonly memoryMb: number;
}

export function readTask(message: unknown): ConvertTask {
  if (!isRecord(message) || !isRecord(message.request)) throw new Error('a worker got something that is no task');
  return message as unknown as ConvertTask;
}

export interface ProgressMessage {
  readonly done: number;
  readonly total: number;
  readonly unit: ProgressUnit;
  readonly element?: string;
}

export function readProgress(message: unknown): ProgressMessage | undefined {
  return isRecord(message) && typeof message.done === 'number' ? (message as unknown as ProgressMessage) : undefined;
}

/** @throws what the worker threw, which is a bug of ours */
export function readAnswer(message: unknown): Result<Conversion> {
  if (!isRecord(message)) throw new Error('a worker gave something that is no answer');
  if (typeof message.thrown === 'string') throw new Error(`the converter failed:\n${message.thrown}`);
  if (!isRecord(message.value) || typeof message.value.ok !== 'boolean') throw new Error('a worker gave no result');
  return message.value as unknown as Result<Conversion>;
}
