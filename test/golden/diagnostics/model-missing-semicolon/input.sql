MODEL (name s.m)
SELECT 1 AS a
