MODEL (name lab.b, kind FULL, audits (unique_values(columns := (x)), not_null(columns := (x))));
SELECT unnest([1, 1, NULL]) AS x
