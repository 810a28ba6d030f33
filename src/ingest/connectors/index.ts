import { cellxgene } from './cellxgene.js';
import { command } from './command.js';
import type { Connector } from './connector.js';
import { ftp } from './ftp.js';
import { geo } from './geo.js';
import { gs } from './gs.js';
import { hf } from './hf.js';
import { httpFile } from './http.js';
import { kaggle } from './kaggle.js';
import { localFile } from './local-file.js';
import { restApi } from './rest-api.js';
import { s3 } from './s3.js';
import { zenodo } from './zenodo.js';

/** Every place that data can come from. Of several for a scheme the first that takes a source has it. */
export const connectors: readonly Connector[] = [
  localFile,
  restApi,
  httpFile,
  s3,
  gs,
  ftp,
  zenodo,
  cellxgene,
  geo,
  kaggle,
  hf,
  command,
];
