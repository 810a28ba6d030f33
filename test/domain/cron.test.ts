import { describe, expect, test } from 'vitest';
import { type Cron, cronFloor, cronNext, cronProblem, intervalUnitOf, isTimeZone } from '../../src/domain/cron.js';
import { isoInstant } from '../../src/domain/interval.js';
import { utc } from '../support/project-text.js';

const cron = (expression: string, timeZone = 'UTC'): Cron => ({ expression, timeZone });
const floorAt = (one: Cron, time: string): string => isoInstant(cronFloor(one, utc(time)));
const nextAt = (one: Cron, time: string): string => isoInstant(cronNext(one, utc(time)));

describe('the last tick', () => {
  test.each([
    ['@hourly', '2024-05-15T10:00:00Z'],
    ['@daily', '2024-05-15T00:00:00Z'],
    ['@midnight', '2024-05-15T00:00:00Z'],
    ['@weekly', '2024-05-12T00:00:00Z'],
    ['@monthly', '2024-05-01T00:00:00Z'],
    ['@yearly', '2024-01-01T00:00:00Z'],
    ['@annually', '2024-01-01T00:00:00Z'],
    ['*/5 * * * *', '2024-05-15T10:35:00Z'],
    ['30 6 * * *', '2024-05-15T06:30:00Z'],
    ['0 12 * * 1-5', '2024-05-14T12:00:00Z'],
    ['0 0 15 * *', '2024-05-15T00:00:00Z'],
    ['0 0 29 2 *', '2024-02-29T00:00:00Z'],
  ])('of %s before a Wednesday morning is %s', (expression, expected) => {
    expect(floorAt(cron(expression), '2024-05-15 10:37')).toBe(expected);
  });

  test('is the instant itself where that is a tick', () => {
    expect(floorAt(cron('30 6 * * *'), '2024-05-15 06:30')).toBe('2024-05-15T06:30:00Z');
    expect(floorAt(cron('@daily'), '2024-05-15')).toBe('2024-05-15T00:00:00Z');
  });

  test('one millisecond before a tick is the tick before', () => {
    expect(isoInstant(cronFloor(cron('30 6 * * *'), utc('2024-05-15 06:30') - 1))).toBe('2024-05-14T06:30:00Z');
  });

  test('of an alias is the same whether arithmetic or the cron expression gives it', () => {
    for (const [alias, expression] of [
      ['@hourly', '0 * * * *'],
      ['@daily', '0 0 * * *'],
      ['@monthly', '0 0 1 * *'],
      ['@yearly', '0 0 1 1 *'],
    ] as const) {
      for (const time of ['2024-02-29 23:59', '2024-03-01', '2023-12-31 12:00']) {
        expect(floorAt(cron(alias), time)).toBe(floorAt(cron(expression), time));
        expect(nextAt(cron(alias), time)).toBe(nextAt(cron(expression), time));
      }
    }
  });

  test('in a time zone is at its local time', () => {
    expect(floorAt(cron('@daily', 'America/New_York'), '2024-05-15 10:37')).toBe('2024-05-15T04:00:00Z');
    expect(floorAt(cron('0 9 * * *', 'Asia/Kolkata'), '2024-05-15 10:37')).toBe('2024-05-15T03:30:00Z');
  });

  test('in a time zone follows its summer time', () => {
    expect(floorAt(cron('@daily', 'Europe/Warsaw'), '2024-03-31 12:00')).toBe('2024-03-30T23:00:00Z');
    expect(floorAt(cron('@daily', 'Europe/Warsaw'), '2024-04-01 12:00')).toBe('2024-03-31T22:00:00Z');
  });
});

describe('the next tick', () => {
  test('is later than a tick itself', () => {
    expect(nextAt(cron('@daily'), '2024-05-15')).toBe('2024-05-16T00:00:00Z');
    expect(nextAt(cron('0 0 * * *'), '2024-05-15')).toBe('2024-05-16T00:00:00Z');
  });

  test('of a month follows the calendar', () => {
    expect(nextAt(cron('@monthly'), '2024-01-31 10:00')).toBe('2024-02-01T00:00:00Z');
  });
});

describe('the unit of intervals', () => {
  test.each([
    ['@hourly', 'hour'],
    ['@daily', 'day'],
    ['@weekly', 'day'],
    ['@monthly', 'month'],
    ['@yearly', 'year'],
    ['*/5 * * * *', 'five_minute'],
    ['*/7 * * * *', 'five_minute'],
    ['* * * * *', 'five_minute'],
    ['*/15 * * * *', 'quarter_hour'],
    ['*/30 * * * *', 'half_hour'],
    ['0 */2 * * *', 'hour'],
    ['0 5 * * *', 'day'],
    ['0 12 * * 1-5', 'day'],
    ['0 0 1 * *', 'month'],
    ['0 0 1 */3 *', 'month'],
    ['0 0 1 1 *', 'year'],
  ])('of %s is %s', (expression, unit) => {
    expect(intervalUnitOf(cron(expression))).toBe(unit);
  });
});

describe('what is no cron', () => {
  test.each([
    ['@fortnightly', /unknown alias; known are @hourly, @daily/],
    ['* * * *', /five fields/],
    ['0 0 0 1 1 *', /five fields/],
    ['61 * * * *', /./],
    ['0 0 31 2 *', /./],
    ['a b c d e', /./],
  ])('%s says why', (expression, why) => {
    expect(cronProblem(expression)).toMatch(why);
  });

  test.each(['@Daily', ' @daily ', '0 0 * * MON', '0 0 1,15 * *', '0 0-6/2 * * *'])(
    '%s is none of it',
    (expression) => {
      expect(cronProblem(expression)).toBeUndefined();
    },
  );
});

test('a time zone is an IANA name, not a guess', () => {
  expect(['UTC', 'Europe/Warsaw', 'america/new_york'].map(isTimeZone)).toEqual([true, true, true]);
  expect(['Mars/Base', '', 'CET+1x'].map(isTimeZone)).toEqual([false, false, false]);
});
