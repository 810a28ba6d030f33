MODEL (name lab.b, kind FULL, audits (unique_values(columns := (x)), not_null(columns := (x))));
SELECT 1 AS x
