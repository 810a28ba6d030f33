MODEL (
  name s.m,
  tags (a, b;
SELECT 1 AS a
