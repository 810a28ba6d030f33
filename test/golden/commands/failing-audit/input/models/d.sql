MODEL (name lab.d, kind FULL);
SELECT 4 AS z
