import { command } from './command.js';
import type { Connector } from './connector.js';
import { ftp } from './ftp.js';
import { gs } from './gs.js';
import { httpFile } from './http.js';
import { localFile } from './local-file.js';
import { restApi } from './rest-api.js';
import { s3 } from './s3.js';

/** Every place that data can come from. Of several for a scheme the first that takes a source has it. */
export const connectors: readonly Connector[] = [localFile, restApi, httpFile, s3, gs, ftp, command];
