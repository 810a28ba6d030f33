import { expect, test } from 'vitest';
import { spdxOf } from '../../src/domain/spdx.js';
import { inheritLicenses, licenseConflicts } from '../../src/metadata/licenses.js';

test.each([
  ['CC-BY-4.0', 'CC-BY-4.0'],
  ['CC BY 4.0', 'CC-BY-4.0'],
  ['cc-by', 'CC-BY-4.0'],
  ['https://creativecommons.org/licenses/by-nc/4.0/', 'CC-BY-NC-4.0'],
  ['http://creativecommons.org/publicdomain/zero/1.0/', 'CC0-1.0'],
  ['Apache License, Version 2.0', 'Apache-2.0'],
  ['MIT OR Apache-2.0', 'MIT OR Apache-2.0'],
  ['MIT License', 'MIT'],
  ['cc-by-4.0', 'CC-BY-4.0'],
  ['CC0: Public Domain', 'CC0-1.0'],
  ['Attribution 4.0 International (CC BY 4.0)', 'CC-BY-4.0'],
  ['bsd-3-clause', 'BSD-3-Clause'],
])('%s is %s', (text, id) => expect(spdxOf(text)).toBe(id));

test.each(['', 'ask the authors', 'other-open', 'Other (specified in description)'])(
  '"%s" is no license that anybody knows',
  (text) => expect(spdxOf(text)).toBeUndefined(),
);

const under = (...licenses: readonly string[]): ReturnType<typeof inheritLicenses> =>
  inheritLicenses(licenses.map((licenseText, at) => ({ source: `s${at + 1}`, licenseText })));

test('a table inherits the license of each source once', () => {
  expect(under('CC BY 4.0', 'CC0-1.0', 'CC-BY-4.0', 'ask us')).toEqual([
    { license: '', text: 'ask us', sources: ['s4'] },
    { license: 'CC-BY-4.0', text: 'CC BY 4.0', sources: ['s1', 's3'] },
    { license: 'CC0-1.0', text: 'CC0-1.0', sources: ['s2'] },
  ]);
});

test.each([
  [['CC0-1.0', 'CC-BY-4.0'], 'CC-BY-4.0', []],
  [['CC-BY-4.0'], 'CC-BY-SA-4.0', []],
  [['CC-BY-4.0'], 'CC0-1.0', ['CC-BY-4.0 of s1 asks for attribution, which CC0-1.0 gives up']],
  [['CC-BY-NC-4.0'], 'CC-BY-4.0', ['CC-BY-NC-4.0 of s1 forbids commerce, which CC-BY-4.0 allows']],
  [['CC-BY-NC-4.0'], 'CC-BY-NC-SA-4.0', []],
  [['CC-BY-SA-3.0'], 'CC-BY-SA-4.0', []],
  [['CC-BY-SA-4.0'], 'CC-BY-4.0', ['CC-BY-SA-4.0 of s1 must be shared alike, not under CC-BY-4.0']],
  [['CC-BY-ND-4.0'], 'CC-BY-4.0', ['CC-BY-ND-4.0 of s1 allows no derived tables']],
  [['GPL-3.0-only OR MIT'], 'CC-BY-4.0', []],
  [[''], 'CC-BY-4.0', ['nobody knows the license of s1']],
  [['ask us'], 'CC-BY-4.0', ['"ask us" of s1 is no known license']],
] as const)('%j published under %s', (sources, target, problems) =>
  expect(licenseConflicts(under(...sources), target)).toEqual(problems),
);
