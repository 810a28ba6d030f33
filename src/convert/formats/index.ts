import type { Format } from '../format.js';
import { csv } from './csv.js';
import { files } from './files.js';
import { h5ad } from './h5ad.js';
import { json } from './json.js';
import { mtx } from './mtx.js';
import { parquet } from './parquet.js';
import { pickle } from './pickle.js';
import { rds } from './rds.js';
import { tar } from './tar.js';
import { zip } from './zip.js';

/** Every raw format. A new one is its own file and one line here. */
export const formats: readonly Format[] = [h5ad, mtx, rds, pickle, parquet, json, tar, zip, csv, files];
