MODEL (name s.m);
SELECT 1 AS a;

SELECT 2 AS a;
