MODEL (name lab.c, kind FULL);
SELECT x + 1 AS y FROM lab.b
