MODEL (name s.m, kind INCREMENTAL_BY_TIME_RANGE (lookbak 2, batch_size 0));
SELECT 1 AS ds
