import { describe, expect, test } from 'vitest';
import { isoInstant } from '../../src/domain/interval.js';
import { endOf, parseInstant } from '../../src/domain/time.js';
import { utc } from '../support/project-text.js';

const now = utc('2024-05-15 10:37');
const read = (text: string, at = now): string | undefined => {
  const parsed = parseInstant(text, at);
  return parsed === undefined ? undefined : `${isoInstant(parsed.instant)} ${parsed.isDate ? 'date' : 'time'}`;
};

describe('a time is read from', () => {
  test.each([
    ['2024-01-31', '2024-01-31T00:00:00Z date'],
    [' 2024-01-31 ', '2024-01-31T00:00:00Z date'],
    ['2024-01-31 12:00', '2024-01-31T12:00:00Z time'],
    ['2024-01-31 12:00:05', '2024-01-31T12:00:05Z time'],
    ['2024-01-31T12:00:05.25', '2024-01-31T12:00:05.250Z time'],
    ['2024-01-31T12:00:05.999999Z', '2024-01-31T12:00:05.999Z time'],
    ['2024-01-31 12:00:00+02:00', '2024-01-31T10:00:00Z time'],
    ['2024-01-31 12:00:00-0530', '2024-01-31T17:30:00Z time'],
    ['1704067200000', '2024-01-01T00:00:00Z time'],
    ['now', '2024-05-15T10:37:00Z time'],
    ['Today', '2024-05-15T00:00:00Z date'],
    ['yesterday', '2024-05-14T00:00:00Z date'],
    ['90 minutes ago', '2024-05-15T09:07:00Z time'],
    ['3 hours ago', '2024-05-15T07:37:00Z time'],
    ['1 day ago', '2024-05-14T00:00:00Z date'],
    ['2 weeks ago', '2024-05-01T00:00:00Z date'],
    ['3 months ago', '2024-02-15T00:00:00Z date'],
    ['1 year ago', '2023-05-15T00:00:00Z date'],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test.each([
    '',
    'tomorrowish',
    '2024-02-30',
    '2024-13-01',
    '2024-1-1',
    '2024-01-01 24:00',
    '2024-01-01 10:60',
    '31.01.2024',
    '3 days',
    'ago',
  ])('nothing like "%s"', (text) => {
    expect(read(text)).toBeUndefined();
  });

  test('a month ago on its last day is the last day of a shorter month', () => {
    expect(read('1 month ago', utc('2024-03-31 08:00'))).toBe('2024-02-29T00:00:00Z date');
    expect(read('1 year ago', utc('2024-02-29 08:00'))).toBe('2023-02-28T00:00:00Z date');
  });
});

describe('the end of a range', () => {
  test('that is a date holds the whole day', () => {
    expect(isoInstant(endOf({ instant: utc('2024-01-31'), isDate: true }))).toBe('2024-02-01T00:00:00Z');
  });

  test('that is a time is exclusive, even at midnight', () => {
    expect(isoInstant(endOf({ instant: utc('2024-01-31'), isDate: false }))).toBe('2024-01-31T00:00:00Z');
  });
});
