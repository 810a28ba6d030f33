/** Raised when the converter writes other parquet for the same raw file: it makes new versions of all datasets. */
export const CONVERTER_VERSION = '1';
