import * as fs from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CompressionError, contentBlocks } from '../../src/convert/compression/index.js';
import { mutants } from './mutants.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();
const TEXT = 'the quick brown fox, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, jumps over the lazy dog\n'.repeat(20);
/** TEXT as Python's bz2 and lzma and the program zstd compress it. */
const packed: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(TEXT),
  bzip2: Buffer.from(
    'QlpoOTFBWSZTWaMmDHsAAcHxgAAQABBABD////AwALgKAAAAAFAAAAAApVJ6poDTQYnqbNUepOJOJOZMk+yYJyJqTQmpMk9iehVyJ1JoToTQnQTcnAmpNhNyYJ2JoTgTJNSYJzJ+k2Jgn0TuTcmCbEyTJPgq/idif4u5IpwoSFGTBj2A',
    'base64',
  ),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AYDAD9dADoaCM52x+Xp1gc0w9EOv85V4aq95GlBnCxZZ+HmpExb2FnAm1jcMsg3aepcmGWqDbNFBVaHWgROi8cV5vU4AAAANPPx0xNKUGEAAVuEDAAAAAOFrKuxxGf7AgAAAAAEWVo=',
    'base64',
  ),
  'xz with SHA-256': Buffer.from(
    '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AYDAD9dADoaCM52x+Xp1gc0w9EOv85V4aq95GlBnCxZZ+HmpExb2FnAm1jcMsg3aepcmGWqDbNFBVaHWgROi8cV5vU4AAAAq+5Tw4xuI34Wp1Msa3yRfUoo4T0rmyReuhdiKjnCdVYAAXOEDAAAAFgCU0C26d8cAgAAAAAKWVo=',
    'base64',
  ),
  zstd: Buffer.from(
    'KLUv/WQEBd0BAAQDdGhlIHF1aWNrIGJyb3duIGZveCwgYSwganVtcHMgb3ZlciB0aGUgbGF6eSBkb2cKAgDSBoV/uIEYTSM7AQ==',
    'base64',
  ),
};

async function content(bytes: Buffer): Promise<string> {
  const file = path.join(folder, 'packed');
  fs.writeFileSync(file, bytes);
  const blocks: Buffer[] = [];
  for await (const block of contentBlocks(file)) blocks.push(block);
  return Buffer.concat(blocks).toString('latin1');
}

describe.each(Object.entries(packed))('%s', (_, bytes) => {
  test('gives its content', async () => {
    expect(await content(bytes)).toBe(TEXT);
  });

  test('in two streams gives both', async () => {
    expect(await content(Buffer.concat([bytes, bytes]))).toBe(TEXT + TEXT);
  });

  test('cut off anywhere is refused', async () => {
    for (let length = 8; length < bytes.length; length += 5) {
      await expect(content(bytes.subarray(0, length))).rejects.toBeInstanceOf(CompressionError);
    }
  });

  test('damaged is refused, or gives its content all the same', async () => {
    for (const mutant of mutants(bytes, 300, 7)) {
      try {
        const found = await content(mutant);
        // A damaged beginning is no compressed file any more; spliced copies of whole streams are several.
        if (mutant.subarray(0, 6).equals(bytes.subarray(0, 6))) expect(found.replaceAll(TEXT, '')).toBe('');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(CompressionError);
      }
    }
  });
});

describe('zstd', () => {
  /** 400 lines that need literals in a code, sequences of every kind and offsets that repeat. */
  function genes(): string {
    let state = 7;
    const next = (): number => {
      state = Number((BigInt(state) * 1103515245n + 12345n) % 2147483648n);
      return Math.floor(state / 65536);
    };
    const line = (i: number): string => {
      const count = next() % 97;
      const base = 'ACGT'.charAt(next() % 4);
      return `gene${i}\t${count}\t${base.repeat(1 + (next() % 5))}\n`;
    };
    return Array.from({ length: 400 }, (_, i) => line(i)).join('');
  }
  const levels: Readonly<Record<string, string>> = {
    fast: 'KLUv/WTSFTU6AGpQeAkWkCUFzQE5+tbsjl+vpaVNksDMqLk/AZYAjACQAHWweKijzS6SiY9QuBvmYKDWN9w6V00T8QzdHnNzrg5zsE9qk5GLJuk9t8hFV3rIzCDx9bDtk8umzlOSpYe4pRytmCUPNfmmW9nFKQKfQAvFnSNoRphD0GcUubhxOvjwmIXRS7mDFpMHVj+B4OM2MDBw9RIIBFMm9hlZBAQEBD65gyWOgVszwIAAAgAMBoPBRYcAAwIICEIssQ6SSXOgwUhtNTJNn5HWMRweJshndQkJHzlahHMlJMSUILSvrNqqjGloKd05bLYO/SzELgrWw6U3eAQ5M9hDmH1Gylwk2XQPuTDImgw5kPRZIOcKpCkwMGKZG4ESM1AQaB+3uC5kunqOarmje3OcyAxntBkvm2lmCaObJgejr7YVL5pq4qngUnErtIMFP6u76qmopRUVs0LVZ0REFDccNCnQfEPbyDQmy3RiYo7RYYL9qtPIXJlDJqYIP6upEY/EbUSjZkMj4qLpcjciDkYcza6YRhi0SzrIwDgLYVeIEEZPCFkagmaIEOKOdnadTUd77pYj77EHb+DkM27Wu0wgMNZjFEvNaJrYweKzKk5P1FJFd1TVUbeSSZ4DAAaDwWDqV9eV053c2b3G0byGOysrWflYF+s1TgsWX4XYinjVNFVpNao37VDhLhqqlNoj0NU2cQ1Nnxk7pnOMh+lJBTLTPbNIrwglyLVtleiptNGypUP5RWULqyui9Ei0EeI4F/WhsHbZINk5sPxCLTR0mlC7oaE0MzSEfkbX3fBeHK+HO4vYbB4TK7kWVgeCaKgiYxyJNkr7GaIIEhzN41iR3AMSQBDCLGoh7BzAxCw+XQ0Hc9mdpPSSz3vPHy6Mo2EBSwAtBJI8AgP17CH78VEPxlRZ+Mt6nl/HITqVno2sBOm0l3b5oEc6h+GnctBwYyplayCfQWz4nOPfFznpp+YSJ2RQjp5uMSKvEorIOIlYCG9MxGwXpfqU3KWywZ/kFTLayWsQNYfm9cNB6J0IWK+ozBNlZMYMmNhzI3faUkYwXt6FGxW5445FF857mJUMHM+yMDILd335SfYnJbOwDnL7ej+kDaAGYHYMVnNyT78z9ntixzx0eFQ94RzTkEeBVrBXJAyRt+zTTK3fXNHHxtqsvFDv0oblb8tS2Ug4BT4B+ifOZoACGVpAP4lvr1SQOOMFw7OHhzEohheHWwEGEtDB66f3i7gfrV/nw7dG8xA/kpcAkDKdVrxjH7BT0gtIYGaX1JZbtNdm8szv/ujX4iVJ1ABPnx4ybpcpZGKYo+V9dzNqTErAP22Db4PQmfVuip1JdPTXmlWCjm+jm4LTBVqWKZUpXy10CHxAQc2iOuCiqh2sKyBwLJYqUeft+9mRtKyoKtFyT+kVTOaDZGeH2geYoDWhCKygFaRYygxZLURFisXBU1wMAQtq47KpXJQu1F5o2ejIImogIPV5BEd2i4oX/RXBbcwQPGeQcYuXf/QqnlwrD90/fpJgStctvYq/j1Df1HcRO9lX8LD08b59ZSVRZGrXOmaInrPK9R3iDvBYJSKdUnvoOklj3dQ0jC2OW/pIIYZTPQFPg1RR75OYhQHpHJ9JzxEjVzJpclFvbl6JDbiTdnEIc5EA1icutwznPRHKJFlp+DUyba8kOIA17nUBByteYMopzrYJmRzj7xl12b6YGMp2iMF0D+9E6/Yrg5vxawzMvkFxdyMHeXwe6D5z02EvhLmomYTRQxbnSP5wF6GPpTDQXo3rseSdFa6986vQgcUW4Q4zJLXyZLIJYR36VSbVTm1yCrGCj4ZnTPANfgoZ65l8xGCAT+zsjtHYpqPCxr2ddIGXMXoJ7W8XKXGOoHcszw8LmDIqreaZdyYyHd5MeRgsPeADh5D/MPfo5LC3gLtzGZLTQMUQ80M3Yy2ZzCxjKkdgAR3Lh0HLCGbi8eYFlL1IaM28wYpBl82Yc9F9JdlrRRN36oSvorKZFbF2mHqmZIDtrgzrSqTQCSriSDipGOEDKzB0NbIsCHZ9kJW7hbULiYXdre7s2oJf0LMrIbJTGksz/HYhB8nHts7zfXydYwadompnIKlht2IssGPEH1+XthpF+ulROShi0SCyse/fyYKuzCYQKAgEpYujMIHdF5kKchjaPWu6Z0S2GA6hG/iZEVgdFYff4c8Rhu/yDOK+6MQc/3xaK9k1rEYAF5pTtzqEmQbQPGyqy9P+Oy0BqLAnZzeC8lb3ecMFSEQSqNcm6FHDdCk4IZ6s5lcT1TcIWQCAsGdSnO9eFBXhs7hW01FAFuI+TbOREvHiBKd2aZuFt7+qkN8A7Q8PODNWAuRsDJwdAAaMxgA2DkpMF4AHi0M52TjtlhgBxE9IGLvYCaiGNTDDfrFOugkI7DewkBJkR5/LAvcBVONUOn5l6qcfuHu3ueVuue7zUG0XYoDz4Iatt7bp8EdmWclaD0pa9Q4ADQ4YwKQuUFhaMQfOr1sBb0XL0w==',
    best: 'KLUv/WTSFbUwACp+kA0ToJc0B/PXRHgmv6WlJVtaVQasK9gAzgDQAAzsHAI/+y5uF72uTBfqOarlo+M690TmdQ4X9NnQZryMZnr4zHLoYbzTTRM5GH1hWz28SlNNn8ulelTdkps1D3XX9tlFMgWfy5bDHXSYSzKJcqCjvuF2zHVN7TPHLXTMxR3enKvDHOxjbULwyPXQdNwjcctFh8S1mWJykPa7tn1yxWXTMc8ky6FHUG5UZ5CHMPme2MquLpwOfBpomXrc3EmzYQ7d6Hs2ilzcOLF8eGdh46DcpXXO4YrvuBFccQUEBEyZBGY8A48sAp8cSy/BURNg4KJDwUGBQd9dbbTrsGnac4db7uJxiHvlPLHDLfJt3OKuy2nWM3WxHjbl2kHTxA529Dtom3NdTs9TrWWKY7pbNatxqE2+LbbLix6Z5KFtqYOqLn0yieZAl76ltm+ukGluPLPRMgcdR905dE6HOcj3zbbUJSKTFJ+PFuEc8vBK6BTWQS77rtoC7lxLp7j6HLRcOiLmxmYzqg7xHdy62PXF1K+eHriU4uiBt5zZOHSz71DbMhcnm8I9nAs/OehyqsnKgZe+241zEU2BcY/A7UKwzLHxBkoPPISg75NtoUvg0jTjubJleNwi9+bF4W58oZstdi0yXfOwlksOa1x7atp0MOG3zDbvqkOm6/lqqcuOmnGLnTVzKKqvbKMbF22a9VBjoR7h0kWTgg60zDe0HXMdZJqvHpNl5I7pnWvORoeZ8V3bblwzJlnsCS7SmUOe+3TKlYMMv9lmXHOKqc9SS/SIxe6tGVMP0X7Pdr2umkI8N5beMfVWzYY4tFIfj9oCHruOTpc9Vcu0g4EujSYrB/Yj+Gjb7Lo0bfQcsoTKERp4Q2mGhjiEXgADAwMDU3zF7VrX5HTNc9LlPjumuEPz4g530XfYZndZ0WTGx75FDotrk9PmYP3q0G3iJVMd+gRMtNw5pvfeLNqhGt/H7XBX2STx0CILXXPQEvdkkhzosO/WtvX6ZpqIZ2qZG8djd2bMMR7mi69qK7tkmUnmPbNIOGSjK0tM+eggh34xazvMFcdNkx7GEnREw2aQDkH8SrZaXX1oWujpY0ufoze3m83eOvST76uNYXMdNVk8vLbQDqPLO3ObA4P8QlC2Ty6CaRp46Am0PHaEqLoD08wQgZOoIQjC0HRcY0EMQijQWjsHIQiCcCjS4XHALpogHSofSoBqhZZgDA3AMr/cECRSITfhCk7hU/Tbk4rTPGI1pd8DsK6tmY0G8zPgKUZ+ROUhW/vxr0CSsoC8BkIis3N75lk75D3tUvvGgccPLxEL/x/nA7BQ4w/yJctxOZD4NffkCh9rG0jgSO1FjG4r5uQCLNotc97g7fHyZ3+QniwtJa44g9FN8BIQCIz+wMyoF5dxJdwmArvnm0EblCbsjNnn+4Bh5pDaFYiY4B+5ZwCaRp60EA/hAc9GmOaCz0G8qoD2P0IdtKMVeotIt8HKT2/vQJqw94tqA+9PHAxX7xGlthGnE1wCFKM8liXGE7jSMZeNCeb0R1ISmhoByEM/3WK9jSicpxiaj88AYqdhn+vUiB2DEHUEAOwpxwz17R4JSHrVXtWARRfbNMUNeFnbT/gtU01AgBqwd7ameN5IJwNm4qU/6BTIaypechFaKBV6u9GFnhOMNneH5hEyOUyCVyfUYQIgR11QrPjzKJxN7hkWBKTXkYO+MJgADdER1t51b6W+yxd9jAsx6LoEiZjKceofGgIkdtmjEfORM4qRWwUWSBUyACrr/onK1TuKWCOkXulGNfjKBdeeRdmnUW+CkqjQkVhpRmop49wom0lK8HpA4UiJJenQ9IzBAJsYcGbo9l71YbL1K5HEoYGCmBYd4+noHtVFf4oSFzIcBSX0XQG2sCDhDAJEV9OWD3thzlQCp3q3ItDnZo3rSDhYzWX013ra7w3lnRoxbO6goMU4cRSkCfIHeU7Nx6dsuOiU1GafNQeCZe7hq7KJpVwh/fU5Cuuvg5CBg2/pgFRBwNpgtJonf6BcO1w7z/JpBoBhk86Pxwh2vRWgFx+4wrXgwANo4GyQNAYLDkwiyFpmuHUFgCpvRcvT',
  };

  test.each(Object.entries(levels))('of the %s level gives its content', async (_, text) => {
    expect(await content(Buffer.from(text, 'base64'))).toBe(genes());
  });

  test.each(Object.entries(levels))('of the %s level, damaged, is refused by its checksum', async (_, text) => {
    const bytes = Buffer.from(text, 'base64');
    for (const mutant of mutants(bytes, 300, 11)) {
      const found = await content(mutant).catch((thrown: unknown) => thrown);
      if (typeof found !== 'string') expect(found).toBeInstanceOf(CompressionError);
      else if (mutant.subarray(0, 4).equals(bytes.subarray(0, 4))) expect(found.replaceAll(genes(), '')).toBe('');
    }
  });

  test('without a checksum is held to the length it announces', async () => {
    const bytes = Buffer.from(
      'KLUv/WAEBd0BAAQDdGhlIHF1aWNrIGJyb3duIGZveCwgYSwganVtcHMgb3ZlciB0aGUgbGF6eSBkb2cKAgDSBoV/uIEY',
      'base64',
    );
    expect(await content(bytes)).toBe(TEXT);
    for (let length = 5; length < bytes.length; length += 3) {
      await expect(content(bytes.subarray(0, length))).rejects.toBeInstanceOf(CompressionError);
    }
  });

  test('skips frames without data, as pzstd writes them', async () => {
    const skipped = Buffer.from('502a4d18040000000000000a', 'hex');
    const bytes = Buffer.from(levels.best ?? '', 'base64');
    expect(await content(Buffer.concat([skipped, bytes, skipped]))).toBe(genes());
  });

  test('that needs a window beyond 128 MiB is refused before memory is taken', async () => {
    const bytes = Buffer.from('28b52ffd00a8', 'hex');
    await expect(content(bytes)).rejects.toThrow('needs a window of 2147483648 bytes');
  });
});
