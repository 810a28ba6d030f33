MODEL (name s.m, description 'it is a day);
SELECT 1 AS a
